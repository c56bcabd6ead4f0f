// Keys of records as names of nodes.
#include <gtest/gtest.h>

#include <string>

#include "common/base/prng.h"
#include "common/zookeeper/store.h"

namespace proffer::zk {
namespace {

TEST(NodeNameTest, EveryKeyHasOneNameAndIsFoundAgain) {
  EXPECT_EQ(NodeName("agent/A-1"), "agent%2FA-1");
  EXPECT_EQ(NodeName("weight/eng/web%2Fx"), "weight%2Feng%2Fweb%252Fx");
  EXPECT_EQ(NodeName("."), "%2E");
  EXPECT_EQ(NodeName(""), "%");
  Prng prng(1);
  for (int i = 0; i < 10'000; ++i) {
    std::string key;
    for (uint64_t left = prng.Below(12); left > 0; --left) {
      key.push_back(prng.Chance(1, 2) ? "./%a\0\x7f"[prng.Below(6)]
                                      : static_cast<char>(prng.Below(256)));
    }
    const std::string name = NodeName(key);
    EXPECT_EQ(name.find('/'), std::string::npos);
    EXPECT_EQ(KeyOfNode(name).value(), key) << name;
  }
}

TEST(NodeNameTest, ANameThatNoKeyHasIsRefused) {
  for (const char* name : {"a%2", "a%2f", "%41", "a b", "%%", "a%", "."}) {
    EXPECT_TRUE(absl::IsInvalidArgument(KeyOfNode(name).status())) << name;
  }
}

}  // namespace
}  // namespace proffer::zk
