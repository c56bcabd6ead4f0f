// The small things: random numbers, time, ids, statuses, the watchdog.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "common/base/clock.h"
#include "common/base/prng.h"
#include "common/base/status.h"
#include "common/base/strong_id.h"
#include "common/base/time.h"
#include "common/base/watchdog.h"

namespace proffer {
namespace {

TEST(PrngTest, TheSameSeedGivesTheSameNumbersEverywhere) {
  Prng a(42);
  // Fixed for ever: a recorded seed must mean the same world with every later build.
  EXPECT_EQ(a.Next(), 1546998764402558742u);
  EXPECT_EQ(a.Next(), 6990951692964543102u);
  Prng b(42);
  EXPECT_EQ(b.Next(), 1546998764402558742u);
  EXPECT_NE(Prng(43).Next(), Prng(42).Next());
}

TEST(PrngTest, BelowIsUniformAndInBounds) {
  Prng prng(1);
  std::map<uint64_t, int> counts;
  for (int i = 0; i < 60'000; ++i) ++counts[prng.Below(6)];
  ASSERT_EQ(counts.size(), 6u);
  for (const auto& [value, count] : counts) {
    EXPECT_LT(value, 6u);
    EXPECT_NEAR(count, 10'000, 500);  // Five standard deviations.
  }
}

TEST(PrngTest, BetweenIncludesBothEndsAndTakesTheWholeRange) {
  Prng prng(1);
  std::set<int64_t> seen;
  for (int i = 0; i < 200; ++i) seen.insert(prng.Between(-1, 1));
  EXPECT_EQ(seen, (std::set<int64_t>{-1, 0, 1}));
  EXPECT_EQ(prng.Between(5, 5), 5);
  prng.Between(INT64_MIN, INT64_MAX);
}

TEST(PrngTest, WordsAreOfDigitsAndLowerCaseLetters) {
  Prng prng(1);
  const std::string word = prng.Word(1'000);
  EXPECT_EQ(word.size(), 1'000u);
  EXPECT_EQ(word.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz"), std::string::npos);
  EXPECT_NE(prng.Word(12), prng.Word(12));
}

TEST(TimeTest, ForeverSurvivesArithmetic) {
  EXPECT_TRUE((Time::Never() + 5).IsNever());
  EXPECT_TRUE((Time{INT64_MAX - 1} + 5).IsNever());
  EXPECT_EQ((Time{10} + 5).ms, 15);
  EXPECT_EQ(Time{10} - Time{4}, 6);
  EXPECT_LT(Time{10}, Time::Never());
}

TEST(StrongIdTest, OrdersAndHashesByValue) {
  struct Tag {};
  using Id = StrongId<Tag>;
  EXPECT_TRUE(Id().empty());
  EXPECT_LT(Id("a"), Id("b"));
  EXPECT_EQ(std::hash<Id>()(Id("a")), std::hash<Id>()(Id("a")));
  EXPECT_FALSE(StrongIndex<Tag>().valid());
}

TEST(StatusTest, AnnotateKeepsTheCodeAndOkStaysOk) {
  EXPECT_TRUE(Annotate(absl::OkStatus(), "x").ok());
  const absl::Status status = Annotate(absl::NotFoundError("gone"), "record \"a\"");
  EXPECT_EQ(status, absl::NotFoundError("record \"a\": gone"));
}

TEST(StatusTest, MacrosLeaveAtTheFirstError) {
  const auto half = [](int n) -> absl::StatusOr<int> {
    if (n % 2 != 0) return absl::InvalidArgumentError("odd");
    return n / 2;
  };
  const auto quarter = [&](int n) -> absl::StatusOr<int> {
    ASSIGN_OR_RETURN(const int once, half(n));
    ASSIGN_OR_RETURN(const int twice, half(once));
    RETURN_IF_ERROR(absl::OkStatus());
    return twice;
  };
  EXPECT_EQ(*quarter(12), 3);
  EXPECT_EQ(quarter(6).status(), absl::InvalidArgumentError("odd"));
}

TEST(ClockTest, NeverGoesBack) {
  const Time before = BootTimeNow();
  EXPECT_GE(BootTimeNow(), before);
  EXPECT_GT(UnixNowMs(), 1'600'000'000'000);
}

TEST(WatchdogTest, RemembersTheLongestTurn) {
  Watchdog watchdog("loop", /*warn_ms=*/60'000, /*fatal_ms=*/0);
  watchdog.Busy();
  const Time begin = BootTimeNow();
  while (BootTimeNow() - begin < 5) {
  }
  watchdog.Idle();
  const int64_t longest = watchdog.longest_ms();
  EXPECT_GE(longest, 4);
  watchdog.Busy();
  watchdog.Idle();
  EXPECT_EQ(watchdog.longest_ms(), longest);
  watchdog.Idle();  // Idle twice is fine.
}

TEST(WatchdogDeathTest, EndsTheProcessWhenATurnTakesTooLong) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        Watchdog watchdog("core", /*warn_ms=*/10, /*fatal_ms=*/20);
        watchdog.Busy();
        while (true) {
        }
      },
      "core: one turn has taken");
}

}  // namespace
}  // namespace proffer
