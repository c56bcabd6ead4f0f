// An agent that dies at any step of a launch, a kill, an end and of forgetting: each task still
// ends once, as it ended, and nothing of it is left.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cluster/counted_tasks.h"
#include "support/mini_cluster.h"

namespace proffer {
namespace {

using testing::CountedTasks;
using testing::ExpectNothingLeft;
using testing::MiniCluster;

// In one life the agent dies at the first place, in the next at the second.
struct Deaths {
  const char* first;
  const char* second = nullptr;
};

const std::vector<Deaths>& AllDeaths() {
  static const std::vector<Deaths> deaths = {
      {"agent:launch-heard"},
      {"agent:launch-recorded"},
      {"agent:launch-durable"},
      {"runner:sandbox-made"},
      {"runner:run-directory-made"},
      {"runner:launch-asked"},
      {"runner:started-heard"},
      {"agent:started-heard"},
      {"agent:running-durable"},
      {"agent:running-sent"},
      {"agent:kill-heard"},
      {"agent:kill-durable"},
      {"runner:kill-said"},
      {"runner:ended-heard"},
      {"agent:ended-heard"},
      {"agent:ended-durable"},
      {"agent:ended-sent"},
      {"agent:ack-heard"},
      {"agent:forget-recorded"},
      {"agent:forget-durable"},
      {"runner:released"},
      {"runner:discarded"},
      // Of a launch that was recorded and not begun: it is looked for, claimed and begun.
      {"agent:launch-durable", "agent:recovering"},
      {"agent:launch-durable", "runner:claim-written"},
      {"agent:launch-durable", "runner:claimed"},
      {"agent:launch-durable", "runner:claim-given-back"},
      {"agent:launch-durable", "runner:launch-asked"},
      // Of one that had begun.
      {"runner:launch-asked", "runner:started-heard"},
      {"agent:running-durable", "agent:recovering"},
      {"agent:kill-durable", "agent:kill-durable"},
      {"agent:kill-durable", "runner:ended-heard"},
  };
  return deaths;
}

class AgentDeathTest : public ::testing::TestWithParam<bool> {};

TEST_P(AgentDeathTest, WhereverItDiesEachTaskEndsOnceAndNothingIsLeft) {
  const bool contained = GetParam();
  if (contained && !testing::CanContain(true)) {
    GTEST_SKIP() << "containers need root and cgroups";
  }
  MiniCluster cluster({.agents = 1, .contained = contained});
  CountedTasks tasks(cluster);
  const std::string starts = cluster.directory() + "/starts";
  mkdir(starts.c_str(), 0777);
  const std::string once = cluster.directory() + "/once";
  const std::string begin = absl::StrCat("echo x >> ", starts, "/$PROFFER_ATTEMPT; ");
  const auto die_at = [&](const std::string& place) {
    std::ofstream(once).close();
    cluster.StartAgent(
        1,
        {"proffer-agent-failpoints", {absl::StrCat("PROFFER_FAILPOINT=", place, "@", once)}, ""});
  };
  const auto await_death = [&] {
    const int status = cluster.AwaitAgentEnd(1);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "status " << status;
    EXPECT_NE(access(once.c_str(), F_OK), 0) << "it did not die there";
  };
  int n = 0;
  for (const Deaths& deaths : AllDeaths()) {
    SCOPED_TRACE(absl::StrCat(deaths.first, deaths.second == nullptr ? "" : ", ",
                              deaths.second == nullptr ? "" : deaths.second));
    cluster.KillAgent(1);
    die_at(deaths.first);
    const int ends = n++;
    const int killed = n++;
    tasks.Submit(ends, begin + "exit 5");
    tasks.Submit(killed, begin + "exec sleep 1000");
    tasks.run(killed).OnStatus([run = tasks.run(killed)](const TaskStatus& status) mutable {
      if (status.state == TaskState::kRunning) run.Kill();
    });
    await_death();
    if (deaths.second != nullptr) {
      die_at(deaths.second);
      await_death();
    }
    cluster.StartAgent(1);
    EXPECT_EQ(tasks.End(ends).state, TaskState::kFailed) << tasks.End(ends).message;
    EXPECT_EQ(tasks.End(ends).exit_code, 5) << tasks.End(ends).message;
    EXPECT_EQ(tasks.End(killed).state, TaskState::kKilled) << tasks.End(killed).message;
    tasks.ExpectOneEndEach();
    ExpectNothingLeft(&cluster);
    if (HasFailure()) break;  // What follows would say the same again.
  }
  for (const auto& entry : std::filesystem::directory_iterator(starts)) {
    // None if it was killed before it could write.
    EXPECT_LE(std::filesystem::file_size(entry.path()), 2u) << entry.path() << ": started twice";
  }
}

INSTANTIATE_TEST_SUITE_P(Worlds, AgentDeathTest, ::testing::Values(false, true),
                         [](const auto& info) { return info.param ? "containers" : "posix"; });

}  // namespace
}  // namespace proffer
