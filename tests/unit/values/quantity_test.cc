// Amounts: what is read, what is refused and with which words, what is printed.
#include "proffer/quantity.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "common/base/prng.h"

namespace proffer {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

TEST(Scalar, IsReadExactly) {
  const struct {
    const char* kind;
    const char* text;
    int64_t count;
  } kCases[] = {
      {"cpus", "4", 4000},
      {"cpus", "1.5", 1500},
      {"cpus", "0.001", 1},
      {"cpus", "1.50", 1500},
      {"cpus", "007", 7000},
      {"cpus", "0", 0},
      {"cpus", "9223372036854775.807", kMax},
      {"licences", "2.25", 2250},
      {"gpus", "2", 2},
      {"gpus", "2.0", 2},
      {"ports", "3", 3},
      {"mem", "0", 0},
      {"mem", "7B", 7},
      {"mem", "1KiB", 1024},
      {"mem", "1kB", 1000},
      {"mem", "512MiB", int64_t{512} << 20},
      {"mem", "512MB", 512'000'000},
      {"mem", "1.5GiB", int64_t{3} << 29},
      {"disk", "0.001kB", 1},
      {"disk", "2TB", 2'000'000'000'000},
      {"disk", "8388607TiB", int64_t{8388607} << 40},
      {"disk", "9223372036854775807B", kMax},
  };
  for (const auto& c : kCases) {
    const auto count = ParseScalar(c.kind, c.text);
    ASSERT_TRUE(count.ok()) << c.kind << ":" << c.text << " " << count.status();
    EXPECT_EQ(*count, c.count) << c.kind << ":" << c.text;
  }
}

TEST(Scalar, RefusalsSayWhatWasExpectedWhatWasFoundAndWhatToDo) {
  const std::string bytes =
      "expected a number with a unit (B, KiB, MiB, GiB, TiB, kB, MB, GB, TB) like \"512MiB\"";
  const std::string number = "expected a number with at most 3 decimals like \"1.5\"";
  const struct {
    const char* kind;
    const char* text;
    std::string message;
  } kCases[] = {
      {"mem", "512", "mem: " + bytes + ", found \"512\"; write \"512MiB\" if megabytes were meant"},
      {"mem", "512M", "mem: " + bytes + ", found \"512M\"; write \"512MiB\" or \"512MB\""},
      {"disk", "1.5gb", "disk: " + bytes + ", found \"1.5gb\"; write \"1.5GiB\" or \"1.5GB\""},
      {"mem", "4KB", "mem: " + bytes + ", found \"4KB\"; write \"4KiB\" or \"4kB\""},
      {"mem", "4x", "mem: " + bytes + ", found \"4x\"; \"x\" is not one of these units"},
      {"mem", "0.0001GiB",
       "mem: " + bytes + ", found \"0.0001GiB\"; leave away what is finer than a thousandth"},
      {"mem", "0.001KiB",
       "mem: " + bytes + ", found \"0.001KiB\"; that is not a whole number of bytes"},
      {"mem", "8388608TiB",
       "mem: " + bytes + ", found \"8388608TiB\"; the largest is \"9223372036854775807B\""},
      {"cpus", "-1", "cpus: " + number + ", found \"-1\"; an amount is never negative"},
      {"cpus", "1.2345",
       "cpus: " + number + ", found \"1.2345\"; leave away what is finer than a thousandth"},
      {"cpus", "",
       "cpus: " + number + ", found \"\"; write digits, with a decimal point if needed"},
      {"cpus", ".5",
       "cpus: " + number + ", found \".5\"; write digits, with a decimal point if needed"},
      {"cpus", "5.",
       "cpus: " + number + ", found \"5.\"; write digits, with a decimal point if needed"},
      {"cpus", "nan",
       "cpus: " + number + ", found \"nan\"; write digits, with a decimal point if needed"},
      {"cpus", "1e3",
       "cpus: " + number + ", found \"1e3\"; write the number alone, without \"e3\""},
      {"cpus", "9223372036854775.808",
       "cpus: " + number +
           ", found \"9223372036854775.808\"; the largest is \"9223372036854775.807\""},
      {"cpus", "99999999999999999999999999999999999999999",
       "cpus: " + number +
           ", found \"99999999999999999999999999999999999999999\"; the largest is "
           "\"9223372036854775.807\""},
      {"gpus", "1.5",
       "gpus: expected a whole number like \"2\", found \"1.5\"; gpus are only given out whole"},
  };
  for (const auto& c : kCases) {
    const auto count = ParseScalar(c.kind, c.text);
    ASSERT_FALSE(count.ok()) << c.kind << ":" << c.text;
    EXPECT_EQ(count.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(std::string(count.status().message()), c.message);
  }
}

TEST(Scalar, PrintsTheShortestExactForm) {
  EXPECT_EQ(PrintScalar("cpus", 1500), "1.5");
  EXPECT_EQ(PrintScalar("cpus", 1), "0.001");
  EXPECT_EQ(PrintScalar("cpus", 4000), "4");
  EXPECT_EQ(PrintScalar("cpus", -250), "-0.25");
  EXPECT_EQ(PrintScalar("cpus", std::numeric_limits<int64_t>::min()), "-9223372036854775.808");
  EXPECT_EQ(PrintScalar("gpus", 2), "2");
  EXPECT_EQ(PrintScalar("mem", 0), "0");
  EXPECT_EQ(PrintScalar("mem", 7), "7B");
  EXPECT_EQ(PrintScalar("mem", int64_t{8} << 30), "8GiB");
  EXPECT_EQ(PrintScalar("mem", 1'500'000), "1500kB");
  EXPECT_EQ(PrintScalar("mem", 1'536), "1536B");
  EXPECT_EQ(PrintScalar("disk", 1024'000), "1024kB");
}

TEST(Scalar, ReadingWhatWasPrintedGivesTheSameCount) {
  Prng prng(1);
  for (int i = 0; i < 20'000; ++i) {
    const char* kind = prng.Chance(1, 2) ? "mem" : prng.Chance(1, 2) ? "cpus" : "gpus";
    const int64_t count = static_cast<int64_t>(prng.Next() >> (1 + prng.Below(63)));
    const auto again = ParseScalar(kind, PrintScalar(kind, count));
    ASSERT_TRUE(again.ok()) << again.status();
    ASSERT_EQ(*again, count) << kind;
  }
}

TEST(Quantities, AreSortedAndLeaveZerosOut) {
  Quantities q{{"mem", 1024}, {"cpus", 1500}, {"gpus", 0}};
  EXPECT_EQ(q.ToString(), "cpus:1.5;mem:1KiB");
  q.Set("cpus", 0);
  q.Set("ports", 2);
  q.Set("zones", 3000);
  EXPECT_EQ(q.ToString(), "mem:1KiB;ports:2;zones:3");
  q.Set("mem", -5);
  EXPECT_EQ(q.Get("mem"), 0);
  EXPECT_EQ(q.Get("ports"), 2);
  EXPECT_EQ(q.Get("nothing"), 0);
}

TEST(Quantities, AreReadAsPrinted) {
  const auto q = Quantities::Parse(" mem:512MiB; cpus:1.5;gpus:0;ports:2 ");
  ASSERT_TRUE(q.ok()) << q.status();
  EXPECT_EQ(*q, (Quantities{{"cpus", 1500}, {"mem", 512 << 20}, {"ports", 2}}));
  EXPECT_EQ(*Quantities::Parse(q->ToString()), *q);
  EXPECT_TRUE(Quantities::Parse("")->empty());
  EXPECT_EQ(Quantities::Parse("cpus:1;cpus:2").status().message(),
            "quantities: expected every kind once, found \"cpus\"; give one amount of each kind");
  EXPECT_EQ(Quantities::Parse("cpus:1;").status().message(),
            "quantities: expected kind:amount like \"cpus:1.5\", found \"\"; separate items by "
            "single semicolons");
}

TEST(Quantities, AddFailsOnOverflowAndChangesNothing) {
  Quantities q{{"cpus", 1}, {"mem", kMax}};
  const Quantities before = q;
  const absl::Status status = q.Add(Quantities{{"cpus", 1}, {"mem", 1}});
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(status.message(),
            "mem: expected a sum of at most \"9223372036854775807B\", found "
            "\"9223372036854775807B\" and \"1B\"; use smaller amounts");
  EXPECT_EQ(q, before);
}

TEST(Quantities, AddThenSubtractGivesBack) {
  Prng prng(2);
  for (int i = 0; i < 5'000; ++i) {
    Quantities a;
    Quantities b;
    for (const char* kind : {"cpus", "mem", "gpus", "zones"}) {
      a.Set(kind, prng.Between(0, 3));
      b.Set(kind, prng.Between(0, 3));
    }
    Quantities sum = a;
    ASSERT_TRUE(sum.Add(b).ok());
    ASSERT_TRUE(sum.Contains(a));
    ASSERT_TRUE(sum.Contains(b));
    bool at_least = true;
    for (const char* kind : {"cpus", "mem", "gpus", "zones"}) {
      ASSERT_EQ(sum.Get(kind), a.Get(kind) + b.Get(kind));
      at_least = at_least && a.Get(kind) >= b.Get(kind);
    }
    ASSERT_EQ(a.Contains(b), at_least) << a << " " << b;
    sum.SubtractClamped(b);
    ASSERT_EQ(sum, a);
    Quantities none = a;
    ASSERT_TRUE(none.Add(b).ok());
    Quantities more = none;
    a.SubtractClamped(more);
    ASSERT_TRUE(a.empty());
  }
}

}  // namespace
}  // namespace proffer
