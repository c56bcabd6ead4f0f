// Adding, subtracting, containing, choosing: the laws that the master's books rest on.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/prng.h"
#include "proffer/resources.h"
#include "unit/values/random_values.h"

namespace proffer {
namespace {

Resources R(absl::string_view text) {
  auto resources = Resources::Parse(text);
  EXPECT_TRUE(resources.ok()) << resources.status();
  return *std::move(resources);
}

bool IsCanonical(const Resources& resources) {
  return *Resources::Make(resources.items()) == resources;
}

TEST(Resources, SumMinusOnePartIsTheOther) {
  Prng prng(5);
  int added = 0;
  for (int i = 0; i < 20'000; ++i) {
    const Resources a = RandomResources(&prng, 6);
    const Resources b = RandomResources(&prng, 6);
    Resources sum = a;
    const absl::Status status = sum.Add(b);
    if (!status.ok()) {
      // The same ports, set items or volumes on both sides. Nothing may have happened.
      ASSERT_EQ(status.code(), absl::StatusCode::kAlreadyExists) << status;
      ASSERT_EQ(sum, a);
      Resources other_way = b;
      ASSERT_FALSE(other_way.Add(a).ok());
      continue;
    }
    ++added;
    ASSERT_TRUE(IsCanonical(sum));
    Resources other_way = b;
    ASSERT_TRUE(other_way.Add(a).ok());
    ASSERT_EQ(sum, other_way);
    ASSERT_TRUE(sum.Contains(a)) << sum << " / " << a;
    ASSERT_TRUE(sum.Contains(b)) << sum << " / " << b;

    Quantities expected = a.ToQuantities();
    ASSERT_TRUE(expected.Add(b.ToQuantities()).ok());
    ASSERT_EQ(sum.ToQuantities(), expected);

    ASSERT_TRUE(sum.Subtract(b).ok());
    ASSERT_EQ(sum, a);
    ASSERT_TRUE(sum.Subtract(a).ok());
    ASSERT_TRUE(sum.empty());
  }
  EXPECT_GT(added, 2'000);  // Else this test says little.
}

TEST(Resources, ContainWhatCanBeSubtractedAndNothingElse) {
  Prng prng(6);
  int contained = 0;
  int parts = 0;
  for (int i = 0; i < 20'000; ++i) {
    const Resources whole = RandomResources(&prng, 6);
    const Resources other =
        prng.Chance(1, 2) ? RandomPart(&prng, whole) : RandomResources(&prng, 2);
    Resources left = whole;
    const absl::Status status = left.Subtract(other);
    ASSERT_EQ(whole.Contains(other), status.ok()) << whole << " / " << other;
    if (!status.ok()) {
      ASSERT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
      ASSERT_EQ(left, whole);
      continue;
    }
    ++contained;
    if (!other.empty() && !left.empty()) ++parts;
    ASSERT_TRUE(whole.ToQuantities().Contains(other.ToQuantities()));
    ASSERT_TRUE(IsCanonical(left));
    ASSERT_TRUE(left.Add(other).ok());
    ASSERT_EQ(left, whole);
    // Containing each other is being equal.
    ASSERT_EQ(other.Contains(whole), other == whole);
  }
  EXPECT_GT(contained, 8'000);
  EXPECT_GT(parts, 4'000);
}

TEST(Resources, PartOfWhatIsThereIsContained) {
  Prng prng(7);
  for (int i = 0; i < 20'000; ++i) {
    const Resources whole = RandomResources(&prng, 8);
    const Resources part = RandomPart(&prng, whole);
    ASSERT_TRUE(whole.Contains(part)) << whole << " / " << part;
    const Resources smaller = RandomPart(&prng, part);
    ASSERT_TRUE(whole.Contains(smaller)) << whole << " / " << smaller;
  }
}

TEST(Resources, PickGivesExactlyTheAmountsAskedOutOfWhatIsThere) {
  Prng prng(8);
  int picked = 0;
  for (int i = 0; i < 20'000; ++i) {
    const Resources whole = RandomResources(&prng, 8);
    const std::string role = prng.Chance(1, 2) ? "*" : "eng";
    const bool any_role = prng.Chance(1, 2);
    const Resources base = (any_role ? whole : whole.ReservedTo(role)).Interchangeable();
    Quantities amounts;
    for (const auto& [kind, count] : base.ToQuantities().items()) {
      // Sets are counted in thousandths but given out by the item.
      const int64_t step = kind == "zones" ? 1000 : 1;
      amounts.Set(kind, prng.Between(0, count / step) * step);
    }
    const auto choice = any_role ? whole.Pick(amounts) : whole.Pick(amounts, role);
    ASSERT_TRUE(choice.ok()) << whole << " / " << amounts << " " << choice.status();
    ASSERT_TRUE(base.Contains(*choice));
    ASSERT_TRUE(IsCanonical(*choice));
    ASSERT_EQ(choice->ToQuantities(), amounts);
    if (!choice->empty()) ++picked;

    if (amounts.empty()) continue;
    const std::string& kind = amounts.items()[0].first;
    amounts.Set(kind, base.ToQuantities().Get(kind) + 1000);
    const auto too_much = any_role ? whole.Pick(amounts) : whole.Pick(amounts, role);
    ASSERT_EQ(too_much.status().code(), absl::StatusCode::kResourceExhausted) << too_much.status();
    ASSERT_EQ(too_much.status().message().find(kind + ": "), 0u);
  }
  EXPECT_GT(picked, 5'000);
}

TEST(Resources, PickTakesLowestPortsAndFirstItemsAndUnreservedFirst) {
  const Resources whole = R("cpus:1;cpus@eng:4;ports@eng:[100-110];ports:[7,9-20];zones:{b,c,a}");
  EXPECT_EQ(whole.Pick({{"cpus", 2500}, {"ports", 3}, {"zones", 2000}})->ToString(),
            "cpus:1;cpus@eng:1.5;ports:[7,9-10];zones:{a,b}");
  EXPECT_EQ(whole.Pick({{"cpus", 500}, {"ports", 2}}, "eng")->ToString(),
            "cpus@eng:0.5;ports@eng:[100-101]");
  EXPECT_EQ(
      whole.Pick({{"cpus", 1001}}, "*").status().message(),
      "cpus: expected at least \"1.001\" of role \"*\", found \"1\"; ask for less or wait for "
      "more");
  EXPECT_EQ(whole.Pick({{"gpus", 1}}).status().message(),
            "gpus: expected at least \"1\", found \"0\"; ask for less or wait for more");
  EXPECT_EQ(whole.Pick({{"zones", 1500}}).status().message(),
            "zones: expected a whole number of items, found \"1.5\"; they are not divisible");
}

TEST(Resources, PickLeavesVolumesMountsAndRevocableAlone) {
  const Resources whole =
      R("cpus(revocable):4;disk@eng(volume=v,path=p):1GiB;disk(source=mount:/m):1GiB;"
        "disk(source=path:/p):1GiB;disk:7B");
  EXPECT_EQ(whole.Interchangeable().ToString(), "disk:7B");
  EXPECT_EQ(whole.Pick({{"disk", 8}}).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(whole.Pick({{"cpus", 1}}).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(Resources, RolesSeeTheirOwnAndTheirAncestors) {
  const Resources whole = R("cpus:1;cpus@eng:2;cpus@eng/prod:4;cpus@ops:8;cpus@engine:16");
  EXPECT_EQ(whole.AllocatableTo("eng/prod").ToString(), "cpus:1;cpus@eng:2;cpus@eng/prod:4");
  EXPECT_EQ(whole.AllocatableTo("eng").ToString(), "cpus:1;cpus@eng:2");
  EXPECT_EQ(whole.AllocatableTo("*").ToString(), "cpus:1");
  EXPECT_EQ(whole.ReservedTo("eng").ToString(), "cpus@eng:2");
  EXPECT_EQ(whole.ReservedTo("*").ToString(), "cpus:1");
  // The innermost reservation decides.
  const Resources refined = R("cpus@eng@eng/prod=alice:1");
  EXPECT_EQ(refined.ReservedTo("eng/prod"), refined);
  EXPECT_TRUE(refined.ReservedTo("eng").empty());
  EXPECT_TRUE(refined.AllocatableTo("eng").empty());
}

TEST(Resources, VolumesAndMountsAreIndivisible) {
  const Resources whole =
      R("disk@eng(volume=v,path=p):10GiB;disk(source=mount:/m):10GiB;"
        "disk(source=path:/p):10GiB");
  EXPECT_FALSE(whole.Contains(R("disk@eng(volume=v,path=p):1GiB")));
  EXPECT_FALSE(whole.Contains(R("disk(source=mount:/m):1GiB")));
  EXPECT_TRUE(whole.Contains(R("disk(source=path:/p):1GiB")));
  EXPECT_TRUE(whole.Contains(R("disk@eng(volume=v,path=p):10GiB")));
  Resources twice = whole;
  EXPECT_EQ(twice.Add(R("disk(source=mount:/m):10GiB")).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(twice, whole);
}

TEST(Resources, CopiesOfSharedVolumesAreCounted) {
  const Resources one = R("disk@eng(shared,volume=v,path=p):1GiB");
  Resources two = one;
  ASSERT_TRUE(two.Add(one).ok());
  EXPECT_NE(one, two);
  EXPECT_TRUE(two.Contains(one));
  EXPECT_FALSE(one.Contains(two));
  ASSERT_TRUE(two.Add(two).ok());
  EXPECT_EQ(two.items().size(), 4u);
  ASSERT_TRUE(two.Subtract(one).ok());
  EXPECT_EQ(two.items().size(), 3u);
  EXPECT_EQ(two.Add(R("disk@eng(shared,volume=v,path=p):2GiB")).code(),
            absl::StatusCode::kAlreadyExists);
  ASSERT_TRUE(two.Subtract(two).ok());
  EXPECT_TRUE(two.empty());
}

TEST(Resources, AddToItselfDoublesNumbersAndRefusesPorts) {
  Resources numbers = R("cpus:1;mem:1GiB");
  ASSERT_TRUE(numbers.Add(numbers).ok());
  EXPECT_EQ(numbers, R("cpus:2;mem:2GiB"));
  Resources ports = R("cpus:1;ports:[1-2]");
  const absl::Status status = ports.Add(Resources(ports));
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(status.message(),
            "ports: expected values that are not there yet, found \"[1-2]\" beside \"[1-2]\"; give "
            "every value once");
  EXPECT_EQ(ports, R("cpus:1;ports:[1-2]"));
}

TEST(Resources, AddRefusesWhatWouldOverflowTheTotalOfAName) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  Resources resources;
  Resource mem;
  mem.name = "mem";
  mem.value = Scalar{kMax};
  ASSERT_TRUE(resources.Add(mem).ok());
  mem.value = Scalar{1};
  EXPECT_EQ(resources.Add(mem).code(), absl::StatusCode::kOutOfRange);
  mem.reservations = {{"eng", ""}};
  EXPECT_EQ(resources.Add(mem).code(), absl::StatusCode::kOutOfRange);
  mem.value = Scalar{-1};
  EXPECT_EQ(resources.Add(mem).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(resources.ToQuantities().Get("mem"), kMax);
}

TEST(Resources, SubtractSaysWhatIsMissing) {
  Resources resources = R("cpus:4");
  EXPECT_EQ(resources.Subtract(R("cpus:5")).message(),
            "cpus: expected something to take \"cpus:5\" from, found \"cpus:4\"; take only what is "
            "there");
  EXPECT_EQ(resources.Subtract(R("cpus:1;mem:1B")).message(),
            "mem: expected something to take \"mem:1B\" from, found nothing of that kind; take "
            "only what is there");
  EXPECT_EQ(resources, R("cpus:4"));
}

TEST(Resources, ItemsOfCustomNamesCountInThousandths) {
  const Quantities q = R("ports:[1-3];vlans:[1-3];zones:{a,b};licences:2").ToQuantities();
  EXPECT_EQ(q.ToString(), "licences:2;ports:3;vlans:3;zones:2");
  EXPECT_EQ(q.Get("ports"), 3);
  EXPECT_EQ(q.Get("zones"), 2000);
}

// Hostile texts are long and of many kinds; nothing may take quadratic time for them. The bound is
// some fifty times what is needed, so that a slow machine does not fail and quadratic work does.
TEST(Resources, LongTextsAreReadInTime) {
  std::vector<std::string> texts(3);
  for (int i = 9'000; i > 0 && texts[0].size() < 65'000; --i) {
    absl::StrAppend(&texts[0], texts[0].empty() ? "" : ";", "ports:[", 2 * i, "]");
  }
  for (int i = 9'000; i > 0 && texts[1].size() < 65'000; --i) {
    absl::StrAppend(&texts[1], texts[1].empty() ? "" : ";", "a@r", i, ":1");
  }
  for (int i = 9'000; i > 0 && texts[2].size() < 65'000; --i) {
    absl::StrAppend(&texts[2], texts[2].empty() ? "" : ";", "z:{", i, "}");
  }
  const Time start = BootTimeNow();
  for (const std::string& text : texts) {
    Resources resources = R(text);
    Resources sum;
    ASSERT_TRUE(sum.Add(resources).ok());
    ASSERT_TRUE(sum.Contains(resources));
    ASSERT_TRUE(sum.Subtract(resources).ok());
  }
  EXPECT_LT(BootTimeNow() - start, 2'000);
}

}  // namespace
}  // namespace proffer
