#include "isolator/process/turns.h"

#include <gtest/gtest.h>

namespace proffer::isolator {
namespace {

TEST(TurnsTest, TheMoreIsAcceptedTheShorterTheTurnsWithinWhatTheKernelAllows) {
  EXPECT_EQ(TurnNs(8'000), 100'000);
  EXPECT_EQ(TurnNs(2'000), 350'000);
  EXPECT_EQ(TurnNs(1'000), 700'000);
  EXPECT_EQ(TurnNs(500), 1'400'000);
  EXPECT_EQ(TurnNs(100), 7'000'000);
  EXPECT_EQ(TurnNs(1), 100'000'000);
  EXPECT_EQ(TurnNs(0), 100'000'000);
}

}  // namespace
}  // namespace proffer::isolator
