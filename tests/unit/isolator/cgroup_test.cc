// Control groups without a kernel: which worlds there are, what is written, in which order.
#include <errno.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "isolator/cgroup/group.h"
#include "isolator/cgroup/writes.h"
#include "isolator/fake_kernel.h"

namespace proffer::isolator {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

int64_t Processors() { return sysconf(_SC_NPROCESSORS_ONLN); }

constexpr char kV1Mounts[] =
    "25 1 0:1 / /sys/fs/cgroup ro - tmpfs tmpfs ro\n"
    "26 25 0:2 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
    "27 25 0:3 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "28 25 0:4 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
    "29 25 0:5 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer\n";
constexpr char kUnifiedMount[] = "30 25 0:6 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
constexpr char kV2Mounts[] = "30 25 0:6 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n";

TEST(CgroupWorld, TellsTheThreeWorldsApart) {
  const CgroupWorld v1 = ParseCgroupWorld(kV1Mounts, "");
  EXPECT_EQ(v1.kind, CgroupKind::kV1);
  EXPECT_THAT(v1.Trees(), ElementsAre("/sys/fs/cgroup/freezer", "/sys/fs/cgroup/cpu,cpuacct",
                                      "/sys/fs/cgroup/memory", "/sys/fs/cgroup/pids"));
  const CgroupWorld hybrid =
      ParseCgroupWorld(std::string(kV1Mounts) + kUnifiedMount, "hugetlb misc\n");
  EXPECT_EQ(hybrid.kind, CgroupKind::kHybrid);
  EXPECT_THAT(hybrid.Trees(), ElementsAre("/sys/fs/cgroup/unified", "/sys/fs/cgroup/cpu,cpuacct",
                                          "/sys/fs/cgroup/memory", "/sys/fs/cgroup/pids"));
  const CgroupWorld v2 = ParseCgroupWorld(kV2Mounts, "cpuset cpu io memory pids\n");
  EXPECT_EQ(v2.kind, CgroupKind::kV2);
  EXPECT_THAT(v2.Trees(), ElementsAre("/sys/fs/cgroup"));
}

TEST(CgroupWorld, SaysWhatIsMissing) {
  const CgroupWorld none = ParseCgroupWorld("1 0 0:1 / / rw - ext4 /dev/vda rw\nnonsense\n", "");
  EXPECT_EQ(none.kind, CgroupKind::kNone);
  EXPECT_THAT(none.why_none, HasSubstr("cpu, memory and pids are not all mounted"));
  EXPECT_THAT(none.Trees(), IsEmpty());
  // A v2 tree whose memory controller is held elsewhere is none either.
  EXPECT_EQ(ParseCgroupWorld(kV2Mounts, "cpu pids").kind, CgroupKind::kNone);
}

std::vector<std::string> Texts(const CgroupLimits& limits, const CgroupWorld& world) {
  std::vector<std::string> texts;
  for (const CgroupWrite& write : WritesFor(limits, world)) {
    texts.push_back(write.file + "=" + write.value);
  }
  return texts;
}

TEST(CgroupWrites, SayTheSameInBothLanguages) {
  const CgroupLimits limits = {1500, 200, 64 << 20, 32 << 20, 100};
  EXPECT_THAT(Texts(limits, ParseCgroupWorld(kV1Mounts, "")),
              ElementsAre("cpu.shares=1536", "cpu.cfs_period_us=100000", "cpu.cfs_quota_us=20000",
                          "memory.soft_limit_in_bytes=33554432", "memory.limit_in_bytes=67108864",
                          "memory.memsw.limit_in_bytes=67108864", "pids.max=100"));
  EXPECT_THAT(Texts(limits, ParseCgroupWorld(kV2Mounts, "cpu memory pids")),
              ElementsAre("cpu.weight=150", "cpu.max=20000 100000", "memory.low=33554432",
                          "memory.max=67108864", "memory.swap.max=0", "memory.oom.group=1",
                          "pids.max=100"));
}

TEST(CgroupWrites, StayWithinWhatKernelsTake) {
  const CgroupLimits least = {1, 1, 0, 0, 0};
  EXPECT_THAT(Texts(least, ParseCgroupWorld(kV1Mounts, "")),
              ElementsAre("cpu.shares=2", "cpu.cfs_period_us=100000", "cpu.cfs_quota_us=1000"));
  EXPECT_THAT(Texts(least, ParseCgroupWorld(kV2Mounts, "cpu memory pids")),
              ElementsAre("cpu.weight=1", "cpu.max=1000 100000"));
  const CgroupLimits most = {4'000'000, 0, 0, 0, 0};
  EXPECT_THAT(Texts(most, ParseCgroupWorld(kV2Mounts, "cpu memory pids")),
              ElementsAre("cpu.weight=10000"));
  EXPECT_THAT(Texts({}, ParseCgroupWorld(kV1Mounts, "")), IsEmpty());
}

TEST(CgroupGroup, AttachesBackToBackAndNotWhereTheCloneIsAlready) {
  FakeKernel kernel;
  const CgroupWorld world = ParseCgroupWorld(std::string(kV1Mounts) + kUnifiedMount, "");
  const CgroupGroup group(kernel, world, "proffer/7-12");
  EXPECT_EQ(group.Attach(42), "");
  EXPECT_THAT(kernel.done,
              ElementsAre("write /sys/fs/cgroup/cpu,cpuacct/proffer/7-12/cgroup.procs 42",
                          "write /sys/fs/cgroup/memory/proffer/7-12/cgroup.procs 42",
                          "write /sys/fs/cgroup/pids/proffer/7-12/cgroup.procs 42"));
}

TEST(CgroupGroup, ALimitThatCannotBeSetIsAnErrorUnlessItIsOptional) {
  const CgroupWorld world = ParseCgroupWorld(kV1Mounts, "");
  const CgroupLimits limits = {0, 0, 64 << 20, 0, 0};
  FakeKernel optional;
  optional.errors["/sys/fs/cgroup/memory/p/1-1/memory.memsw.limit_in_bytes"] = ENOENT;
  EXPECT_EQ(CgroupGroup(optional, world, "p/1-1").Create(limits), "");
  FakeKernel needed;
  needed.errors["/sys/fs/cgroup/memory/p/1-1/memory.limit_in_bytes"] = EBUSY;
  EXPECT_THAT(CgroupGroup(needed, world, "p/1-1").Create(limits),
              HasSubstr("could not be limited (memory.limit_in_bytes to 67108864): Device or"));
}

TEST(CgroupGroup, FreezesBeforeItKillsWhereThereIsNothingBetter) {
  FakeKernel kernel;
  const CgroupWorld world = ParseCgroupWorld(kV1Mounts, "");
  kernel.files["/sys/fs/cgroup/freezer/p/1-1/cgroup.procs"] = "7\n8\n0\n";
  EXPECT_EQ(CgroupGroup(kernel, world, "p/1-1").KillAll(), 2);
  EXPECT_THAT(kernel.done,
              ElementsAre("write /sys/fs/cgroup/freezer/p/1-1/freezer.state FROZEN", "kill 7",
                          "kill 8", "write /sys/fs/cgroup/freezer/p/1-1/freezer.state THAWED"));
}

TEST(CgroupGroup, LetsTheKernelKillWhereItCan) {
  FakeKernel kernel;
  const CgroupWorld world = ParseCgroupWorld(kV2Mounts, "cpu memory pids");
  kernel.files["/sys/fs/cgroup/p/1-1/cgroup.procs"] = "7\n";
  EXPECT_EQ(CgroupGroup(kernel, world, "p/1-1").KillAll(), 1);
  EXPECT_THAT(kernel.done, ElementsAre("write /sys/fs/cgroup/p/1-1/cgroup.kill 1"));
}

TEST(CgroupGroup, RemovesAllItCanAndNamesWhatIsBusy) {
  FakeKernel kernel;
  const CgroupWorld world = ParseCgroupWorld(kV1Mounts, "");
  const CgroupGroup group(kernel, world, "p/1-1");
  ASSERT_EQ(group.Create({}), "");
  kernel.errors["/sys/fs/cgroup/memory/p/1-1"] = EBUSY;
  EXPECT_EQ(group.Remove(),
            "cgroup /sys/fs/cgroup/memory/p/1-1 could not be removed: Device or resource busy");
  EXPECT_THAT(kernel.directories, ElementsAre("/sys/fs/cgroup/memory/p/1-1"));
  EXPECT_THAT(ListGroups(kernel, world, "p"), ElementsAre("1-1"));
}

TEST(CgroupRoot, DelegatesControllersAllTheWayOnV2) {
  FakeKernel kernel;
  const CgroupWorld world = ParseCgroupWorld(kV2Mounts, "cpu memory pids");
  EXPECT_EQ(PrepareCgroupRoot(kernel, world, "a/b"), "");
  EXPECT_THAT(kernel.done,
              ElementsAre("write /sys/fs/cgroup/cgroup.subtree_control +cpu +memory +pids",
                          "mkdir /sys/fs/cgroup/a", "write /sys/fs/cgroup/a/memory.low max",
                          "write /sys/fs/cgroup/a/cgroup.subtree_control +cpu +memory +pids",
                          "mkdir /sys/fs/cgroup/a/b", "write /sys/fs/cgroup/a/b/memory.low max",
                          absl::StrCat("write /sys/fs/cgroup/a/b/cpu.weight ",
                                       std::min<int64_t>(10'000, 100 * Processors())),
                          "write /sys/fs/cgroup/a/b/cgroup.subtree_control +cpu +memory +pids"));
}

// One group weighs as much as one process, on however many processors.
TEST(CgroupRoot, WeighsAsMuchAsOneProcessOnEachProcessor) {
  FakeKernel kernel;
  const CgroupWorld world = ParseCgroupWorld(kV1Mounts, "");
  EXPECT_EQ(PrepareCgroupRoot(kernel, world, "a/b"), "");
  EXPECT_THAT(kernel.done, Contains(absl::StrCat("write ", world.cpu, "/a/b/cpu.shares ",
                                                 std::min<int64_t>(262'144, 1024 * Processors()))));
  EXPECT_THAT(kernel.done, Not(Contains(HasSubstr("/a/cpu.shares"))));
}

TEST(CgroupRoot, LeavesTheProtectionOfAGroupThatWasThereToItsOwner) {
  FakeKernel kernel;
  const CgroupWorld world = ParseCgroupWorld(kV2Mounts, "cpu memory pids");
  kernel.directories = {"/sys/fs/cgroup/a", "/sys/fs/cgroup/a/b"};
  EXPECT_EQ(PrepareCgroupRoot(kernel, world, "a/b"), "");
  EXPECT_THAT(kernel.done, Not(Contains("write /sys/fs/cgroup/a/memory.low max")));
  // The last is ours, whenever it was made.
  EXPECT_THAT(kernel.done, Contains("write /sys/fs/cgroup/a/b/memory.low max"));
}

TEST(CgroupUsage, ReadsBothLanguages) {
  FakeKernel kernel;
  const CgroupWorld v1 = ParseCgroupWorld(kV1Mounts, "");
  CgroupUsage usage;
  EXPECT_FALSE(ReadCgroupUsage(kernel, v1, "p/1-1", &usage));
  kernel.files["/sys/fs/cgroup/memory/p/1-1/memory.usage_in_bytes"] = "4096\n";
  kernel.files["/sys/fs/cgroup/memory/p/1-1/memory.limit_in_bytes"] = "9223372036854771712\n";
  kernel.files["/sys/fs/cgroup/memory/p/1-1/memory.oom_control"] =
      "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n";
  kernel.files["/sys/fs/cgroup/cpu,cpuacct/p/1-1/cpuacct.usage"] = "5000000\n";
  ASSERT_TRUE(ReadCgroupUsage(kernel, v1, "p/1-1", &usage));
  EXPECT_EQ(usage.memory_bytes, 4096u);
  EXPECT_EQ(usage.memory_limit_bytes, 0u);  // Unlimited.
  EXPECT_EQ(usage.cpu_us, 5000u);
  EXPECT_EQ(usage.oom_kills, 3u);
  // In a hybrid world the v2 tree counts processor time.
  const CgroupWorld hybrid = ParseCgroupWorld(std::string(kV1Mounts) + kUnifiedMount, "");
  kernel.files["/sys/fs/cgroup/unified/p/1-1/cpu.stat"] = "usage_usec 88\n";
  EXPECT_EQ(ReadFinalCgroupUsage(kernel, hybrid, "p/1-1").cpu_us, 88u);

  const CgroupWorld v2 = ParseCgroupWorld(kV2Mounts, "cpu memory pids");
  kernel.files["/sys/fs/cgroup/p/1-1/cgroup.events"] = "populated 1\n";
  kernel.files["/sys/fs/cgroup/p/1-1/cpu.stat"] = "usage_usec 77\nuser_usec 7\n";
  kernel.files["/sys/fs/cgroup/p/1-1/memory.max"] = "max\n";
  kernel.files["/sys/fs/cgroup/p/1-1/memory.events"] = "oom 9\noom_kill 1\noom_group_kill 1\n";
  ASSERT_TRUE(ReadCgroupUsage(kernel, v2, "p/1-1", &usage));
  EXPECT_EQ(usage.cpu_us, 77u);
  EXPECT_EQ(usage.memory_limit_bytes, 0u);
  EXPECT_EQ(usage.oom_kills, 1u);
}

}  // namespace
}  // namespace proffer::isolator
