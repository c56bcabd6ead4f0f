// What goes wrong: the same for the same seed, every kind of it, within its time.
#include "chaos/schedule.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace proffer::chaos {
namespace {

constexpr int64_t kLengthMs = 40'000;

TEST(ScheduleTest, IsAFunctionOfItsSeed) {
  EXPECT_EQ(MakeSchedule(7, kLengthMs), MakeSchedule(7, kLengthMs));
  EXPECT_NE(MakeSchedule(7, kLengthMs), MakeSchedule(8, kLengthMs));
}

TEST(ScheduleTest, HasEveryKindAndNameAndStaysWithinItsTime) {
  std::set<FaultKind> kinds;
  std::set<std::string> names;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    int64_t last_ms = 0;
    const std::vector<Fault> schedule = MakeSchedule(seed, kLengthMs);
    EXPECT_GT(schedule.size(), 20u);
    for (const Fault& fault : schedule) {
      kinds.insert(fault.kind);
      names.insert(Name(fault.kind));
      EXPECT_FALSE(fault.nodes.empty()) << Print(fault);
      EXPECT_GE(fault.begins_ms, last_ms);
      EXPECT_LE(fault.begins_ms, fault.ends_ms);
      EXPECT_LE(fault.ends_ms, kLengthMs);
      last_ms = fault.begins_ms;
    }
  }
  EXPECT_EQ(kinds.size(), static_cast<size_t>(kFaultKinds));
  EXPECT_EQ(names.size(), kinds.size());
}

TEST(ScheduleTest, IsPrintedForPeople) {
  EXPECT_EQ(Print({FaultKind::kLoss, 1'500, 2'000, {"a1", "m2"}, 7}),
            "1.500-2.000 s loss a1,m2 7%");
  EXPECT_EQ(Print({FaultKind::kDelay, 1'500, 2'000, {"a1"}, 0, 60}),
            "1.500-2.000 s delay a1 60 ms");
}

}  // namespace
}  // namespace proffer::chaos
