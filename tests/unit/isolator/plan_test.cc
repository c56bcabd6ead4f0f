// What isolators plan, and what they say of a machine that cannot carry it out.
#include <sys/resource.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "isolator/pipeline.h"

namespace proffer::isolator {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

MachineFacts Contained() {
  MachineFacts facts;
  facts.root = true;
  facts.contained = true;
  facts.cgroup_root = "proffer";
  facts.world =
      ParseCgroupWorld("30 25 0:6 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "cpu memory pids");
  return facts;
}

TEST(Plan, ATaskGetsWhatItAccepted) {
  TaskNeeds needs;
  needs.cpu_milli = 1500;
  needs.mem_bytes = 256 << 20;
  needs.pids = 100;
  needs.rlimits = {{"nofile", 10, 20}};
  LaunchPlan plan;
  ASSERT_TRUE(PlanAll(needs, Contained(), &plan).ok());
  EXPECT_TRUE(plan.use_cgroups);
  EXPECT_EQ(plan.cgroup, (CgroupLimits{1500, 0, 256u << 20, 256u << 20, 101}));
  EXPECT_EQ(plan.namespaces, kAllNamespaces);
  EXPECT_THAT(plan.mounts, ElementsAre(Mount::kPrivateDev, Mount::kPrivateTmp, Mount::kProc,
                                       Mount::kReadOnlySys));
  EXPECT_TRUE(plan.drop_capabilities);
  EXPECT_EQ(plan.capabilities, 0u);
  ASSERT_EQ(plan.rlimits.size(), 1u);
  EXPECT_EQ(plan.rlimits[0].resource, RLIMIT_NOFILE);
  EXPECT_EQ(NotEnforced(Contained()), "");
}

TEST(Plan, ATaskWithoutMemoryGetsTheLeastThatAProgramNeeds) {
  LaunchPlan plan;
  ASSERT_TRUE(PlanAll({}, Contained(), &plan).ok());
  EXPECT_EQ(plan.cgroup.memory_bytes, 32u << 20);
  EXPECT_EQ(plan.cgroup.cpu_milli, 1u);
}

TEST(Plan, WithoutContainersTheRestHoldsAndItIsSaidWhatDoesNot) {
  MachineFacts facts;
  facts.why_not = "the launcher does not run as root";
  TaskNeeds needs;
  needs.cpu_milli = 1000;
  needs.mem_bytes = 1 << 30;
  needs.rlimits = {{"core", 0, 0}};
  LaunchPlan plan;
  ASSERT_TRUE(PlanAll(needs, facts, &plan).ok());
  EXPECT_FALSE(plan.use_cgroups);
  EXPECT_EQ(plan.namespaces, 0u);
  EXPECT_TRUE(plan.mounts.empty());
  EXPECT_FALSE(plan.drop_capabilities);
  EXPECT_EQ(plan.rlimits.size(), 1u);
  EXPECT_EQ(NotEnforced(facts),
            "not enforced: cpu, memory, the number of processes, a view of its own processes only, "
            "a /tmp of its own (the launcher does not run as root)");
}

TEST(Plan, WhatCannotBeIsRefusedWithWhatWasExpected) {
  const auto why = [](const TaskNeeds& needs, const MachineFacts& facts) {
    LaunchPlan plan;
    return std::string(PlanAll(needs, facts, &plan).message());
  };
  TaskNeeds needs;
  needs.cpu_quota_milli = -1;
  EXPECT_THAT(why(needs, Contained()), HasSubstr("must not be negative; found -1"));
  needs = {};
  needs.pids = 1 << 23;
  EXPECT_THAT(why(needs, Contained()), HasSubstr("must be 0 to 4194304; found 8388608"));
  needs = {};
  needs.capabilities = {"FLY"};
  EXPECT_THAT(why(needs, Contained()), HasSubstr("capability 'FLY' is unknown"));
  needs.capabilities = {"net_admin"};
  EXPECT_THAT(why(needs, {}), HasSubstr("has no capabilities to give"));
  needs = {};
  needs.rlimits = {{"colour", 1, 2}};
  EXPECT_THAT(why(needs, {}), HasSubstr("resource limit 'colour' is unknown"));
  needs.rlimits = {{"nofile", 3, 2}};
  EXPECT_THAT(why(needs, {}), HasSubstr("soft 3 is above hard 2"));
}

TEST(Plan, IsPrintedWhole) {
  TaskNeeds needs;
  needs.cpu_milli = 500;
  needs.mem_bytes = 64 << 20;
  needs.pids = 99;
  LaunchPlan plan;
  plan.name = "7-12";
  plan.argv = {"sleep", "5"};
  plan.environment = {"A=b"};
  ASSERT_TRUE(PlanAll(needs, Contained(), &plan).ok());
  const std::string text = Print(plan, Contained());
  for (const char* line :
       {"container         7-12\n", "program           sleep 5\n", "capabilities      none\n",
        "namespaces        pid mount ipc uts cgroup\n", "mount             /dev of its own\n",
        "cgroup            /sys/fs/cgroup/proffer/7-12\n", "  memory.max      67108864\n",
        "  pids.max        100\n", "environment       A=b\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

}  // namespace
}  // namespace proffer::isolator
