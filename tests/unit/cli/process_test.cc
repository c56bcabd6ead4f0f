// Processes are told apart, and everything of a cluster is found and ended.
#include "cli/dev/process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/dev/place.h"

namespace proffer::cli {
namespace {

class ProcessTest : public ::testing::Test {
 protected:
  ProcessTest() {
    char name[] = "/tmp/pfprocXXXXXX";
    directory_ = mkdtemp(name);
  }
  ~ProcessTest() override { std::filesystem::remove_all(directory_); }

  ProcessStamp Start(const std::string& script,
                     std::vector<std::pair<std::string, std::string>> environment = {}) {
    DaemonSpec spec;
    spec.argv = {"/bin/sh", "-c", script};
    spec.environment = std::move(environment);
    spec.log_path = directory_ + "/log";
    const absl::StatusOr<ProcessStamp> started = StartDaemon(spec);
    EXPECT_TRUE(started.ok()) << started.status();
    return started.value_or(ProcessStamp());
  }
  Belongings Ours() const { return {directory_, {directory_ + "/state"}}; }

  std::string directory_;
};

TEST_F(ProcessTest, AStampIsOfOneProcessOnly) {
  const ProcessStamp self{getpid(), StartOf(getpid())};
  EXPECT_TRUE(IsAlive(self));
  EXPECT_FALSE(IsAlive({self.pid, self.start + 1}));  // An earlier bearer of the number.
  EXPECT_FALSE(Signal({self.pid, self.start + 1}, SIGKILL));
  EXPECT_FALSE(IsAlive({0, 0}));
  ASSERT_TRUE(WriteStamp(directory_ + "/stamp", self).ok());
  const absl::StatusOr<ProcessStamp> read = ReadStamp(directory_ + "/stamp");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->pid, self.pid);
  EXPECT_EQ(read->start, self.start);
  EXPECT_FALSE(ReadStamp(directory_ + "/none").ok());
}

TEST_F(ProcessTest, AnEndIsWaitedFor) {
  const ProcessStamp stamp = Start("exec sleep 1000");
  EXPECT_FALSE(WaitForEnd(stamp, 0));
  EXPECT_TRUE(Signal(stamp, SIGTERM));
  EXPECT_TRUE(WaitForEnd(stamp, 10'000));
  int status = 0;
  EXPECT_EQ(waitpid(stamp.pid, &status, 0), stamp.pid);
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
  EXPECT_FALSE(Signal(stamp, SIGTERM));
}

TEST_F(ProcessTest, EverythingWithTheMarkIsEndedAndNothingElse) {
  const ProcessStamp other = Start("exec sleep 1000", {{"PROFFER_DEV", directory_ + "x"}});
  const ProcessStamp marked = Start("exec sleep 1000", {{"PROFFER_DEV", directory_}});
  // One that does not listen, and whose child wears no mark.
  const ProcessStamp task =
      Start("trap '' TERM; env -i sleep 1000 & echo $! > " + directory_ + "/child.new; mv " +
                directory_ + "/child.new " + directory_ + "/child; wait; exec sleep 1000",
            {{"PROFFER_SANDBOX", directory_ + "/state/a1/sandboxes/x"}});
  // The shell says when its child is there; it has a name by then.
  ProcessStamp child;
  while (child.start == 0) {
    std::ifstream file(directory_ + "/child");
    if (file >> child.pid) child.start = StartOf(child.pid);
    sched_yield();
  }
  EXPECT_GE(KillEverythingOf(Ours(), 50), 3);
  for (const ProcessStamp& gone : {marked, task, child}) EXPECT_FALSE(IsAlive(gone));
  EXPECT_TRUE(IsAlive(other));
  EXPECT_EQ(KillEverythingOf(Ours(), 50), 0);
  Signal(other, SIGKILL);
  for (const ProcessStamp& ended : {marked, task, other}) waitpid(ended.pid, nullptr, 0);
}

TEST_F(ProcessTest, WhatADeadClusterLeftIsRemovedByTheNext) {
  std::vector<std::string> removed;
  auto first = ClaimedPlace::Claim(directory_ + "/b", "", &removed);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ((*first)->place().number, 1);
  // One that died: no lock is held.
  std::filesystem::create_directories(directory_ + "/b/2/state");
  const ProcessStamp left = Start("exec sleep 1000", {{"PROFFER_DEV", directory_ + "/b/2"}});
  EXPECT_FALSE(FindDevPlaces(directory_ + "/b")[1].running);
  auto next = ClaimedPlace::Claim(directory_ + "/b", "", &removed);
  ASSERT_TRUE(next.ok()) << next.status();
  EXPECT_EQ((*next)->place().number, 2);
  ASSERT_EQ(removed.size(), 1u);
  EXPECT_FALSE(IsAlive(left));
  EXPECT_TRUE(FindDevPlaces(directory_ + "/b")[0].running);
  waitpid(left.pid, nullptr, 0);
  next->reset();
  first->reset();
  EXPECT_TRUE(FindDevPlaces(directory_ + "/b").empty());
}

TEST_F(ProcessTest, ADirectoryThatOthersMayReadIsRefused) {
  std::filesystem::create_directory(directory_ + "/b");
  std::filesystem::permissions(directory_ + "/b", std::filesystem::perms(0755));
  std::vector<std::string> removed;
  const auto claimed = ClaimedPlace::Claim(directory_ + "/b", "", &removed);
  EXPECT_EQ(claimed.status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(ProcessTest, WhatIsToBeKeptIsKept) {
  std::vector<std::string> removed;
  {
    auto place = ClaimedPlace::Claim(directory_ + "/b", directory_ + "/kept/deep", &removed);
    ASSERT_TRUE(place.ok()) << place.status();
    std::ofstream((*place)->place().state() + "/file") << "x";
  }
  EXPECT_TRUE(std::filesystem::exists(directory_ + "/kept/deep/file"));
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/b/1"));
}

}  // namespace
}  // namespace proffer::cli
