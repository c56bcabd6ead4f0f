// What an agent makes of a machine that is not the one it left: rebooted, or with strangers where
// its processes were.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cluster/counted_tasks.h"
#include "proffer/framework.h"
#include "support/gates.h"
#include "support/impostor.h"
#include "support/mini_cluster.h"

namespace proffer {
namespace {

using testing::AwaitEndsInLog;
using testing::AwaitRunning;
using testing::CountedTasks;
using testing::ExpectNothingLeft;
using testing::Gates;
using testing::MiniCluster;

constexpr char kOtherBoot[] = "0b007ed0-0000-4000-8000-000000000001";

enum class What { kRebooted, kRebootedWithRuntimeDirectoryOnDisk, kBootIdLies };

struct Case {
  const char* name;
  What what;
  bool contained;
};

class RebootTest : public ::testing::TestWithParam<Case> {};

TEST_P(RebootTest, RunningTasksFailAsRebootedAndEndsThatWereWrittenDownAreToldAsTheyWere) {
  const Case param = GetParam();
  if (geteuid() != 0) GTEST_SKIP() << "only root can hide the kernel's boot id";
  if (param.contained && !testing::CanContain(true)) GTEST_SKIP() << "containers need cgroups";
  MiniCluster cluster({.agents = 1, .contained = param.contained});
  const Gates gates(cluster.directory(), 5);
  CountedTasks tasks(cluster);
  for (int i = 0; i < 5; ++i) tasks.Submit(i, gates.Command(i, i == 3 ? 7 : 0));
  AwaitRunning(&cluster, 5);
  const std::string agent = cluster.List(v1::AGENTS)[0].agent().agent_id();
  // Two ends are written down by the agent, and there is nobody to tell them to.
  cluster.KillMaster();
  gates.Open(2);
  gates.Open(3);
  AwaitEndsInLog(cluster, 2);
  EXPECT_EQ(cluster.StopAgent(1), 0);
  // One is written down on tmpfs only, by its shim.
  const auto published = [&cluster] {
    int found = 0;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(cluster.runtime_dir(1))) {
      if (entry.path().filename() == "exit") ++found;
    }
    return found;
  };
  gates.Open(4);
  while (published() < 3) usleep(2'000);
  if (param.what != What::kBootIdLies) cluster.CutPower(1, param.what == What::kRebooted);

  cluster.StartMaster();
  if (param.what != What::kBootIdLies) cluster.StartLauncher(1);
  cluster.StartAgent(1, {"proffer-agent", {}, kOtherBoot});
  for (int i = 0; i < 5; ++i) {
    const Result& end = tasks.End(i);
    SCOPED_TRACE(absl::StrCat("task ", i, ": ", end.message));
    EXPECT_EQ(gates.Starts(i), 1);
    EXPECT_EQ(end.launches, 1);
    EXPECT_EQ(end.agent_id, agent);
    if (i == 2) {
      EXPECT_EQ(end.state, TaskState::kFinished);
    } else if (i == 3) {
      EXPECT_EQ(end.state, TaskState::kFailed);
      EXPECT_EQ(end.reason, TaskReason::kExited);
      EXPECT_EQ(end.exit_code, 7);
    } else {
      EXPECT_EQ(end.state, TaskState::kFailed);
      EXPECT_EQ(end.reason, TaskReason::kAgentRebooted);
    }
  }
  tasks.ExpectOneEndEach();
  ExpectNothingLeft(&cluster);
  const std::vector<v1::Object> agents = cluster.List(v1::AGENTS);
  ASSERT_EQ(agents.size(), 1u);
  EXPECT_EQ(agents[0].agent().agent_id(), agent);

  // It works as before, and a restart on the same boot is no reboot.
  tasks.Submit(5, "sleep 1000");
  AwaitRunning(&cluster, 1);
  cluster.KillAgent(1);
  cluster.StartAgent(1, {"proffer-agent", {}, kOtherBoot});
  tasks.run(5).Kill();
  EXPECT_EQ(tasks.End(5).state, TaskState::kKilled) << tasks.End(5).message;
  ExpectNothingLeft(&cluster);
}

INSTANTIATE_TEST_SUITE_P(
    PowerCut, RebootTest,
    ::testing::Values(Case{"posix", What::kRebooted, false},
                      Case{"containers", What::kRebooted, true},
                      Case{"on_disk_posix", What::kRebootedWithRuntimeDirectoryOnDisk, false},
                      Case{"on_disk_containers", What::kRebootedWithRuntimeDirectoryOnDisk, true},
                      Case{"though_all_live_posix", What::kBootIdLies, false},
                      Case{"though_all_live_containers", What::kBootIdLies, true}),
    [](const auto& info) { return info.param.name; });

class PidReuseTest : public ::testing::TestWithParam<bool> {};

TEST_P(PidReuseTest, WhoHasTheNumbersOfTheDeadIsLeftAlone) {
  const bool contained = GetParam();
  if (geteuid() != 0) GTEST_SKIP() << "only root can choose the number of a process";
  if (contained && !testing::CanContain(true)) GTEST_SKIP() << "containers need cgroups";
  constexpr int kTasks = 3;
  MiniCluster cluster({.agents = 1, .contained = contained});
  CountedTasks tasks(cluster);
  for (int i = 0; i < kTasks; ++i) tasks.Submit(i, "exec sleep 1000");
  AwaitRunning(&cluster, kTasks);
  cluster.KillAgent(1);
  std::vector<pid_t> dead;
  // In the middle of an exec a process has no environment to be known by.
  while ((dead = cluster.ShimsAndTasks(1)).size() < 2u * kTasks) usleep(1'000);
  cluster.KillLauncher(1);
  for (const pid_t pid : dead) kill(pid, SIGKILL);
  std::vector<std::unique_ptr<testing::Impostor>> impostors;
  for (const pid_t pid : dead) impostors.push_back(std::make_unique<testing::Impostor>(pid));
  cluster.StartLauncher(1);
  cluster.StartAgent(1);
  for (int i = 0; i < kTasks; ++i) {
    EXPECT_EQ(tasks.End(i).state, TaskState::kFailed);
    EXPECT_EQ(tasks.End(i).reason, TaskReason::kShimLost) << tasks.End(i).message;
  }
  tasks.ExpectOneEndEach();
  ExpectNothingLeft(&cluster);
  for (const auto& impostor : impostors) EXPECT_TRUE(impostor->Lives());
}

INSTANTIATE_TEST_SUITE_P(Impostors, PidReuseTest, ::testing::Values(false, true),
                         [](const auto& info) { return info.param ? "containers" : "posix"; });

}  // namespace
}  // namespace proffer
