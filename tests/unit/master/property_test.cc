// What holds whatever anybody says: nothing is in two hands, nothing is lost, every call has one
// result, the same seed gives the same world.
#include <gtest/gtest.h>

#include <cstdlib>

#include "unit/master/chaos.h"

namespace proffer::master {
namespace {

constexpr int kSteps = 1'500;

class MasterProperty : public ::testing::TestWithParam<int> {};

TEST_P(MasterProperty, NothingBreaksAndNothingLeaks) {
  Chaos chaos(static_cast<uint64_t>(GetParam()));
  for (int step = 0; step < kSteps; ++step) {
    chaos.Step();
    ASSERT_TRUE(chaos.untrue().empty()) << "step " << step << ": " << chaos.untrue().front();
  }
  EXPECT_GT(chaos.offers_seen(), 20);
  EXPECT_GT(chaos.tasks_launched(), 5);
  chaos.EndAll();
  EXPECT_TRUE(chaos.untrue().empty()) << chaos.untrue().front();
}

INSTANTIATE_TEST_SUITE_P(Seeds, MasterProperty, ::testing::Range(1, 61));

TEST(MasterDeterminism, TheSameSeedGivesTheSameWorld) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    Chaos a(seed);
    Chaos b(seed);
    for (int step = 0; step < 500; ++step) {
      a.Step();
      b.Step();
      ASSERT_EQ(a.fingerprint(), b.fingerprint()) << "seed " << seed << " step " << step;
    }
  }
}

}  // namespace
}  // namespace proffer::master
