// Those who look at the machine see what is there, and what is left on it.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "chaos/groups.h"
#include "chaos/holdings.h"
#include "isolator/cgroup/world.h"

namespace proffer::chaos {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(HoldingsTest, EveryDescriptorIsCountedByWhatItIs) {
  const std::optional<Holdings> before = HoldingsOf(getpid());
  ASSERT_TRUE(before.has_value());
  EXPECT_GT(before->mounts, 0);
  EXPECT_EQ(before->threads, 1);
  const int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const int one_socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const std::optional<Holdings> after = HoldingsOf(getpid());
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ(after->files, before->files + 3);
  EXPECT_EQ(after->sockets, before->sockets + 1);
  EXPECT_EQ(after->mounts, before->mounts);
  for (const int fd : {file, ends[0], ends[1], one_socket}) close(fd);
}

TEST(HoldingsTest, OfNobodyThereIsNothing) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_FALSE(HoldingsOf(child).has_value());
}

TEST(GroupsTest, WhatIsLeftIsSeenAndRemovedAndWhoLivesInItDies) {
  const std::string root = absl::StrCat("proffer-test-groups-", getpid());
  if (geteuid() != 0) GTEST_SKIP() << "only root can make control groups";
  if (const std::string why = WhyNoContainers(root); !why.empty()) GTEST_SKIP() << why;
  EXPECT_THAT(GroupRoots(root), IsEmpty());  // The trial is over.
  const isolator::CgroupWorld world = isolator::DetectCgroupWorld(true);
  for (const std::string& tree : world.Trees()) {
    ASSERT_TRUE(std::filesystem::create_directories(tree + "/" + root + "/1-1"));
  }
  EXPECT_THAT(GroupRoots("proffer-test-groups-"), Contains(root));
  EXPECT_THAT(GroupsBelow(root), ElementsAre("1-1"));
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // Should this test die first.
    for (;;) pause();
  }
  for (const std::string& tree : world.Trees()) {
    const std::string procs = tree + "/" + root + "/1-1/cgroup.procs";
    const int fd = open(procs.c_str(), O_WRONLY | O_CLOEXEC);
    const std::string pid = std::to_string(child);
    ASSERT_EQ(write(fd, pid.data(), pid.size()), static_cast<ssize_t>(pid.size())) << procs;
    close(fd);
  }
  EXPECT_EQ(RemoveGroups(root), "");
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_THAT(GroupRoots("proffer-test-groups-"), Not(Contains(root)));
}

}  // namespace
}  // namespace proffer::chaos
