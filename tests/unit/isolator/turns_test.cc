#include "isolator/process/turns.h"

#include <gtest/gtest.h>

namespace proffer::isolator {
namespace {

TEST(TurnsTest, TheMoreIsAcceptedTheShorterTheTurnsWithinWhatTheKernelAllows) {
  EXPECT_EQ(TurnNs(8'000), 100'000);
  EXPECT_EQ(TurnNs(1'000), 100'000);
  EXPECT_EQ(TurnNs(500), 200'000);
  EXPECT_EQ(TurnNs(100), 1'000'000);
  EXPECT_EQ(TurnNs(1), 100'000'000);
  EXPECT_EQ(TurnNs(0), 100'000'000);
}

}  // namespace
}  // namespace proffer::isolator
