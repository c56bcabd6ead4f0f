#include "common/leader/leader_finder.h"

#include <gtest/gtest.h>

#include <string>

namespace proffer {
namespace {

const rpc::Address kA{"unix:/a", true};
const rpc::Address kB{"127.0.0.1:5050", false};
const rpc::Address kC{"unix:/c", true};

std::unique_ptr<LeaderFinder> Finder(const std::string& text) {
  auto finder = LeaderFinder::Make(text);
  EXPECT_TRUE(finder.ok()) << finder.status();
  return *std::move(finder);
}

TEST(LeaderFinderTest, StaysWithOneUntilItFailsAndGoesRound) {
  const auto finder = Finder("unix:/a,127.0.0.1:5050");
  EXPECT_EQ(finder->Current(), kA);
  EXPECT_EQ(finder->Current(), kA);
  finder->Failed(kA);
  EXPECT_EQ(finder->Current(), kB);
  finder->Failed(kB);
  EXPECT_EQ(finder->Current(), kA);
}

TEST(LeaderFinderTest, TwoWhoSawTheSameFailureMoveOnOnce) {
  const auto finder = Finder("unix:/a,127.0.0.1:5050,unix:/c");
  finder->Failed(kA);
  finder->Failed(kA);
  EXPECT_EQ(finder->Current(), kB);
}

TEST(LeaderFinderTest, WhoIsSaidToLeadIsTriedAndThenTheOthers) {
  const auto finder = Finder("unix:/a,127.0.0.1:5050");
  finder->Redirected(kA, {kC, {"unix:/d", true}});
  EXPECT_EQ(finder->Current(), kC);
  finder->Failed(kC);
  EXPECT_EQ(finder->Current()->target, "unix:/d");
  finder->Failed({"unix:/d", true});
  EXPECT_EQ(finder->Current(), kB);
}

TEST(LeaderFinderTest, OneThatNamesItselfOrNobodyHasFailed) {
  const auto finder = Finder("unix:/a,127.0.0.1:5050");
  finder->Redirected(kA, {kA});
  EXPECT_EQ(finder->Current(), kB);
  finder->Redirected(kB, {});
  EXPECT_EQ(finder->Current(), kA);
}

TEST(LeaderFinderTest, ARedirectionByOneThatWasLeftIsIgnored) {
  const auto finder = Finder("unix:/a,127.0.0.1:5050");
  finder->Failed(kA);
  finder->Redirected(kA, {kC});
  EXPECT_EQ(finder->Current(), kB);
}

TEST(LeaderFinderTest, WhatIsNoAddressIsRefused) {
  EXPECT_FALSE(LeaderFinder::Make("").ok());
  EXPECT_FALSE(LeaderFinder::Make("nonsense").ok());
}

}  // namespace
}  // namespace proffer
