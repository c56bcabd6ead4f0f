// What an agent may say of itself: anything that its record can carry.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/model/agent_protocol.h"

namespace proffer::model {
namespace {

using ::testing::HasSubstr;

AgentInfo Usual() {
  AgentInfo info;
  info.facts.hostname = "a1";
  info.resources = *Resources::Parse("cpus:4;mem:2GiB");
  return info;
}

std::string Refusal(const AgentInfo& info) {
  return std::string(ValidateAgentInfo(info).message());
}

TEST(AgentInfoTest, WhatIsUsualIsFine) { EXPECT_EQ(Refusal(Usual()), ""); }

TEST(AgentInfoTest, PlacesAreShort) {
  AgentInfo info = Usual();
  info.facts.region.assign(limits::kPlaceBytes, 'r');
  info.facts.zone.assign(limits::kPlaceBytes, 'z');
  EXPECT_EQ(Refusal(info), "");
  info.facts.zone += 'z';
  EXPECT_EQ(Refusal(info),
            "the agent's zone is 257 bytes of text; at most 256 are allowed; shorten it");
  info = Usual();
  info.facts.region.assign(limits::kPlaceBytes + 1, 'r');
  EXPECT_THAT(Refusal(info), HasSubstr("region"));
}

TEST(AgentInfoTest, AttributesAreBoundedAllTogether) {
  AgentInfo info = Usual();
  const std::string value(1'000, 'x');
  for (int i = 0; i < 64; ++i) {
    ASSERT_TRUE(info.facts.attributes.Set(absl::StrCat("a", i), value).ok());
  }
  EXPECT_EQ(Refusal(info), "");
  for (int i = 64; i < 67; ++i) {
    ASSERT_TRUE(info.facts.attributes.Set(absl::StrCat("a", i), value).ok());
  }
  EXPECT_THAT(Refusal(info), HasSubstr("attributes"));
}

TEST(AgentInfoTest, ResourcesAreThereAndBounded) {
  AgentInfo info = Usual();
  info.resources = Resources();
  EXPECT_THAT(Refusal(info), HasSubstr("no resources"));
  // Each text is short enough; what a message carries need not have been a text.
  for (const char* kind : {"ports", "vlans", "slots", "racks"}) {
    std::string text = absl::StrCat(kind, ":[1-1");
    for (int i = 3; i < 10'000; i += 2) absl::StrAppend(&text, ",", i, "-", i);
    ASSERT_TRUE(info.resources.Add(*Resources::Parse(text + "]")).ok());
  }
  EXPECT_THAT(Refusal(info), HasSubstr("resources"));
}

}  // namespace
}  // namespace proffer::model
