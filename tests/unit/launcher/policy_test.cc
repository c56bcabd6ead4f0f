// What a launcher refuses: whoever has taken over the agent still gets nothing but tasks.
#include "launcher/policy.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "launcher/config.h"
#include "support/hostile_plans.h"

namespace proffer::launcher {
namespace {

using isolator::LaunchPlan;
using ::testing::HasSubstr;

constexpr char kConfig[] =
    "# of a test\n"
    "socket = /run/proffer/launcher/socket\n"
    "agent_uid = 990   # the agent\n"
    "run_root = /run/proffer/agent\n"
    "sandbox_root = /var/lib/proffer/sandboxes\n"
    "users = 1000-59999 65534\n"
    "capabilities = NET_BIND_SERVICE\n";

Config TestConfig() {
  Config config;
  EXPECT_EQ(ParseConfig(kConfig, &config), "");
  return config;
}

const char kRunRoot[] = "/run/proffer/agent";
const char kSandboxRoot[] = "/var/lib/proffer/sandboxes";

LaunchPlan Good() { return testing::GoodPlan(kRunRoot, kSandboxRoot); }

TEST(Config, IsReadAndUnderstood) {
  const Config config = TestConfig();
  EXPECT_EQ(config.agent_uid, 990u);
  EXPECT_EQ(config.cgroup_root, "proffer");
  ASSERT_EQ(config.users.size(), 2u);
  EXPECT_EQ(config.users[0], (std::pair<uint32_t, uint32_t>{1000, 59999}));
  EXPECT_EQ(config.capabilities, uint64_t{1} << 10);
}

TEST(Config, SaysWhichLineIsWrongAndWhatItShouldBe) {
  const auto why = [](const std::string& line) {
    Config config;
    return ParseConfig(std::string(kConfig) + line, &config);
  };
  EXPECT_THAT(why("colour = red"), HasSubstr("line 8: expected one of socket, agent_uid,"));
  EXPECT_THAT(why("colour"), HasSubstr("line 8: expected NAME = VALUE, found \"colour\""));
  EXPECT_THAT(why("agent_uid = root"), HasSubstr("expected the number of a user"));
  EXPECT_THAT(why("agent_uid = 4294967295"), HasSubstr("expected the number of a user"));
  EXPECT_THAT(why("users = 9-1"), HasSubstr("ranges like 1000-59999"));
  EXPECT_THAT(why("run_root = ../x"), HasSubstr("expected an absolute path"));
  EXPECT_THAT(why("run_root = /a/../x"), HasSubstr("expected an absolute path"));
  EXPECT_THAT(why("cgroup_root = ../.."), HasSubstr("expected a path below the trees"));
  EXPECT_THAT(why("isolation = none"), HasSubstr("expected auto or posix"));
  EXPECT_THAT(why("capabilities = FLY"), HasSubstr("NET_BIND_SERVICE"));
  Config config;
  EXPECT_EQ(ParseConfig("socket = /s\n", &config), "the setting run_root is missing");
}

TEST(Policy, AGoodPlanPasses) { EXPECT_EQ(CheckPlan(Good(), TestConfig(), true, true), ""); }

TEST(Policy, RefusesMoreThanAHundredHostilePlans) {
  const std::vector<testing::Hostile> all = testing::HostilePlans(kRunRoot, kSandboxRoot);
  EXPECT_GE(all.size(), 100u);
  for (size_t i = 0; i < all.size(); ++i) {
    LaunchPlan plan = Good();
    all[i].change(&plan);
    EXPECT_THAT(CheckPlan(plan, TestConfig(), true, true), HasSubstr(all[i].expected)) << i;
  }
}

TEST(Policy, AskedForWhatItDoesNotHaveItSaysSo) {
  EXPECT_EQ(CheckPlan(Good(), TestConfig(), true, false), "this launcher has no cgroups");
  EXPECT_THAT(CheckPlan(Good(), TestConfig(), false, false), HasSubstr("does not run as root"));
}

TEST(Policy, PathsOfSandboxesAreOfNamesOnly) {
  EXPECT_TRUE(IsRelativePath("fw/task/1-1"));
  for (const std::string& path :
       {std::string(""), std::string("/"), std::string("a//b"), std::string("a/"),
        std::string(".."), std::string("a/../b"), std::string("a/.")}) {
    EXPECT_FALSE(IsRelativePath(path)) << path;
  }
}

}  // namespace
}  // namespace proffer::launcher
