// Ranges, tested against plain sets of numbers.
#include "proffer/ranges.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "common/base/prng.h"
#include "unit/values/random_values.h"

namespace proffer {
namespace {

using Numbers = std::set<uint64_t>;

Numbers Plain(const Ranges& ranges) {
  Numbers numbers;
  for (const Range& range : ranges.ranges()) {
    for (uint64_t n = range.first; n <= range.last; ++n) numbers.insert(n);
  }
  return numbers;
}

bool IsCanonical(const Ranges& ranges) {
  for (size_t i = 0; i < ranges.ranges().size(); ++i) {
    if (ranges.ranges()[i].first > ranges.ranges()[i].last) return false;
    if (i > 0 && ranges.ranges()[i].first <= ranges.ranges()[i - 1].last + 1) return false;
  }
  return true;
}

TEST(Ranges, AreReadInAnyOrderAndPrintedCanonically) {
  const struct {
    const char* text;
    const char* printed;
    int64_t count;
  } kCases[] = {
      {"[31000-32000,33000-33010]", "[31000-32000,33000-33010]", 1012},
      {"[443, 80]", "[80,443]", 2},
      {"[3-4,1-2]", "[1-4]", 4},
      {"[7-7]", "[7]", 1},
      {"[]", "[]", 0},
      {"[ ]", "[]", 0},
      {"[0-4611686018427387904]", "[0-4611686018427387904]", (int64_t{1} << 62) + 1},
  };
  for (const auto& c : kCases) {
    const auto ranges = Ranges::Parse(c.text);
    ASSERT_TRUE(ranges.ok()) << c.text << " " << ranges.status();
    EXPECT_EQ(ranges->ToString(), c.printed);
    EXPECT_EQ(ranges->Count(), c.count);
  }
}

TEST(Ranges, RefusalsSayWhatWasExpectedWhatWasFoundAndWhatToDo) {
  const std::string expected = "expected ranges like \"[31000-32000,33000]\", found ";
  const std::string form = "; write a number, or two with a \"-\" between";
  const struct {
    const char* text;
    std::string message;
  } kCases[] = {
      {"31000-32000", "\"31000-32000\"; put the values in square brackets"},
      {"[", "\"[\"; put the values in square brackets"},
      {"", "\"\"; put the values in square brackets"},
      {"[5-3]", "\"5-3\"; write the smaller value first"},
      {"[33-40,30-35]", "\"30-35,33-40\"; these overlap: give every value once"},
      {"[1,1]", "\"1,1\"; these overlap: give every value once"},
      {"[1,]", "\"\"" + form},
      {"[1-]", "\"1-\"" + form},
      {"[-1]", "\"-1\"" + form},
      {"[1-2-3]", "\"1-2-3\"" + form},
      {"[a]", "\"a\"" + form},
      {"[+1]", "\"+1\"" + form},
      {"[4611686018427387905]",
       "\"4611686018427387905\"; the largest value is 4611686018427387904"},
      {"[1-99999999999999999999999]",
       "\"1-99999999999999999999999\"; the largest value is 4611686018427387904"},
  };
  for (const auto& c : kCases) {
    const auto ranges = Ranges::Parse(c.text);
    ASSERT_FALSE(ranges.ok()) << c.text;
    EXPECT_EQ(std::string(ranges.status().message()), expected + c.message);
  }
}

TEST(Ranges, BehaveLikeSetsOfNumbers) {
  Prng prng(3);
  for (int i = 0; i < 20'000; ++i) {
    const Ranges a = RandomRanges(&prng);
    const Ranges b = RandomRanges(&prng);
    const Numbers plain_a = Plain(a);
    const Numbers plain_b = Plain(b);
    ASSERT_EQ(*Ranges::Parse(a.ToString()), a);
    ASSERT_EQ(a.Count(), static_cast<int64_t>(plain_a.size()));

    Numbers both;
    std::set_intersection(plain_a.begin(), plain_a.end(), plain_b.begin(), plain_b.end(),
                          std::inserter(both, both.end()));
    ASSERT_EQ(a.Intersects(b), !both.empty()) << a << b;
    ASSERT_EQ(a.Contains(b), both == plain_b) << a << b;

    Ranges sum = a;
    sum.Add(b);
    Numbers plain_sum = plain_a;
    plain_sum.insert(plain_b.begin(), plain_b.end());
    ASSERT_TRUE(IsCanonical(sum)) << sum;
    ASSERT_EQ(Plain(sum), plain_sum) << a << b;
    ASSERT_TRUE(sum.Contains(a) && sum.Contains(b));

    Ranges rest = a;
    rest.Subtract(b);
    Numbers plain_rest;
    std::set_difference(plain_a.begin(), plain_a.end(), plain_b.begin(), plain_b.end(),
                        std::inserter(plain_rest, plain_rest.end()));
    ASSERT_TRUE(IsCanonical(rest)) << rest;
    ASSERT_EQ(Plain(rest), plain_rest) << a << b;

    const int64_t count = prng.Between(0, a.Count());
    const Ranges lowest = a.TakeLowest(count);
    ASSERT_TRUE(IsCanonical(lowest));
    ASSERT_EQ(Plain(lowest), Numbers(plain_a.begin(), std::next(plain_a.begin(), count)));
  }
}

}  // namespace
}  // namespace proffer
