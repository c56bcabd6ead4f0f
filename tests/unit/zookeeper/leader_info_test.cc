// What a contender tells about itself.
#include "common/zookeeper/leader_info.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace proffer::zk {
namespace {

TEST(LeaderInfoTest, IsReadAsItWasWritten) {
  const LeaderInfo all = {"1f", {"unix:/run/with a space", "127.0.0.1:5050"}, "0.1.0", "C-1"};
  EXPECT_EQ(ParseLeaderInfo(Serialize(all)).value(), all);
  const LeaderInfo least = {"1f", {"a:1"}, "", ""};
  EXPECT_EQ(ParseLeaderInfo(Serialize(least)).value(), least);
}

TEST(LeaderInfoTest, WhatANewerVersionAddsIsPassedOver) {
  const LeaderInfo info = {"1f", {"a:1"}, "0.1.0", ""};
  EXPECT_EQ(ParseLeaderInfo(absl::StrCat(Serialize(info), "colour blue\nflag\n")).value(), info);
}

TEST(LeaderInfoTest, WhatIsNoneIsRefused) {
  for (const char* text :
       {"", "what", "proffer-contender 2\ninstance 1\naddress a:1\n",
        "proffer-contender 1\ninstance 1\n", "proffer-contender 1\naddress a:1\n"}) {
    EXPECT_TRUE(absl::IsDataLoss(ParseLeaderInfo(text).status())) << text;
  }
}

}  // namespace
}  // namespace proffer::zk
