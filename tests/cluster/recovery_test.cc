// kill -9 of agent, launcher and master, each alone and all at once: tasks never notice, nothing is
// lost, and nothing is started twice.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/mutex.h"
#include "common/base/prng.h"
#include "proffer/framework.h"
#include "proffer/state_store.h"
#include "proffer/units.h"
#include "support/gates.h"
#include "support/mini_cluster.h"

namespace proffer {
namespace {

using testing::Gates;
using testing::MiniCluster;

struct Victims {
  const char* name;
  bool agent;
  bool launcher;
  bool master;
  bool contained;
};

std::set<pid_t> PidsOf(const MiniCluster& cluster) {
  const std::vector<pid_t> pids = cluster.TaskProcesses();
  return {pids.begin(), pids.end()};
}

class RecoveryTest : public ::testing::TestWithParam<Victims> {};

TEST_P(RecoveryTest, FiftyTasksKeepTheirPidsAndEveryEndIsToldOnce) {
  constexpr int kTasks = 50;
  const Victims victims = GetParam();
  if (victims.contained && !testing::CanContain(true)) {
    GTEST_SKIP() << "containers need root and cgroups";
  }
  MiniCluster cluster(
      {.agents = 1, .resources = "cpus:8;mem:4GiB", .contained = victims.contained});
  const Gates gates(cluster.directory(), kTasks);
  auto framework = Framework::Start({.name = "recovery",
                                     .master = cluster.address(),
                                     .state_store = std::make_shared<MemoryStateStore>()});
  ASSERT_TRUE(framework.ok()) << framework.status();
  std::vector<proffer::Run> runs;
  Mutex mutex;
  std::map<int, int> ends;
  for (int i = 0; i < kTasks; ++i) {
    runs.push_back(
        (*framework)
            ->Submit(Task{absl::StrCat("t", i)}.Command(gates.Command(i)).Cpus(0.1).Mem(16_MiB)));
    runs.back().OnDone([&mutex, &ends, i](const Result&) {
      MutexLock lock(&mutex);
      ++ends[i];
    });
  }
  const auto running = [](const std::vector<v1::Object>& tasks) {
    return kTasks == std::count_if(tasks.begin(), tasks.end(), [](const v1::Object& o) {
             return o.task().state() == v1::RUNNING;
           });
  };
  cluster.WaitUntil(v1::TASKS, running);
  const std::set<pid_t> pids = PidsOf(cluster);
  EXPECT_GE(pids.size(), static_cast<size_t>(kTasks));
  if (victims.agent) cluster.KillAgent(1);
  if (victims.launcher) cluster.KillLauncher(1);
  if (victims.master) cluster.KillMaster();
  EXPECT_EQ(PidsOf(cluster), pids) << "tasks noticed";
  // Half of them end while nobody is there to see it.
  for (int i = 0; i < kTasks / 2; ++i) gates.Open(i);
  if (victims.master) cluster.StartMaster();
  if (victims.launcher) cluster.StartLauncher(1);
  if (victims.agent) cluster.StartAgent(1);
  for (int i = kTasks / 2; i < kTasks; ++i) gates.Open(i);

  for (int i = 0; i < kTasks; ++i) {
    const Result& result = runs[i].Wait();
    EXPECT_EQ(result.state, TaskState::kFinished) << i << ": " << result.message;
    EXPECT_EQ(result.launches, 1);
    EXPECT_EQ(gates.Starts(i), 1) << "task " << i << " was started again";
  }
  EXPECT_TRUE((*framework)->WaitAll());
  cluster.WaitUntil(v1::TASKS, [](const std::vector<v1::Object>& tasks) {
    return std::none_of(tasks.begin(), tasks.end(),
                        [](const v1::Object& o) { return o.task().unacknowledged(); });
  });
  {
    MutexLock lock(&mutex);
    EXPECT_EQ(ends.size(), static_cast<size_t>(kTasks));
    for (const auto& [i, times] : ends) EXPECT_EQ(times, 1) << "end of task " << i;
  }
  cluster.WaitUntil(v1::AGENTS,
                    [&cluster](const std::vector<v1::Object>&) { return cluster.AllFree(); });
}

INSTANTIATE_TEST_SUITE_P(
    KillNine, RecoveryTest,
    ::testing::Values(Victims{"agent", true, false, false, false},
                      Victims{"master", false, false, true, false},
                      Victims{"both", true, false, true, false},
                      Victims{"agent_of_containers", true, false, false, true},
                      Victims{"launcher_of_containers", false, true, false, true},
                      Victims{"master_of_containers", false, false, true, true},
                      Victims{"all_of_containers", true, true, true, true}),
    [](const auto& info) { return info.param.name; });

// Launches, ends and kills in flight, and every few ends somebody dies by kill -9. PROFFER_KILLS
// says how often.
TEST(KillNine, AtRandomPointsNothingIsLostAndNothingIsStartedTwice) {
  const char* told = std::getenv("PROFFER_KILLS");
  const int kills = told == nullptr ? 15 : std::atoi(told);
  constexpr int kAgents = 2;
  MiniCluster cluster(
      {.agents = kAgents, .resources = "cpus:4;mem:4GiB", .contained = testing::CanContain(true)});
  const std::string starts = cluster.directory() + "/starts";
  mkdir(starts.c_str(), 0777);
  auto framework = Framework::Start({.name = "chaos",
                                     .master = cluster.address(),
                                     .state_store = std::make_shared<MemoryStateStore>()});
  ASSERT_TRUE(framework.ok()) << framework.status();
  Mutex mutex;
  CondVar changed;
  int ended = 0;
  std::map<std::string, int> ends;
  std::map<std::string, std::string> wrong;
  std::map<std::string, proffer::Run> runs;
  int submitted = 0;
  Prng prng(7);
  const auto submit = [&] {
    const std::string name = absl::StrCat("t", submitted++);
    const bool sleeper = prng.Below(4) == 0;
    proffer::Run run =
        (*framework)
            ->Submit(Task{name}
                         .Command(absl::StrCat("echo x >> ", starts,
                                               "/$PROFFER_TASK_ID.$PROFFER_ATTEMPT; ",
                                               sleeper ? "sleep 1000" : "exit 0"))
                         .Cpus(0.5)
                         .Mem(32_MiB));
    {
      MutexLock lock(&mutex);
      runs.emplace(name, run);
    }
    run.OnStatus([&mutex, &runs, name, sleeper](const TaskStatus& status) {
      if (!sleeper || status.state != TaskState::kRunning) return;
      MutexLock lock(&mutex);
      runs.at(name).Kill();
    });
    run.OnDone([&, name, sleeper](const Result& result) {
      MutexLock lock(&mutex);
      ++ended;
      ++ends[name];
      const bool as_wished = sleeper ? result.state == TaskState::kKilled : result.ok();
      if (!as_wished) wrong[name] = absl::StrCat(Name(result.state), " ", result.message);
      changed.SignalAll();
    });
  };
  int next = 0;
  for (int kill = 0; kill < kills; ++kill) {
    next += 1 + static_cast<int>(prng.Below(8));
    while (submitted < next + 20) submit();
    {
      MutexLock lock(&mutex);
      while (ended < next) ASSERT_TRUE(changed.WaitFor(&mutex, 60'000)) << "after kill " << kill;
    }
    const int agent = 1 + static_cast<int>(prng.Below(kAgents));
    const uint64_t who = prng.Below(8);  // All at once is one of them.
    const bool master = who >= 5;
    if (who <= 2 || who == 7) cluster.KillAgent(agent);
    if (who == 3 || who == 4 || who == 7) cluster.KillLauncher(agent);
    if (master) cluster.KillMaster();
    if (master) cluster.StartMaster();
    if (who == 3 || who == 4 || who == 7) cluster.StartLauncher(agent);
    if (who <= 2 || who == 7) cluster.StartAgent(agent);
  }
  EXPECT_TRUE((*framework)->WaitAll());
  MutexLock lock(&mutex);
  EXPECT_EQ(ends.size(), static_cast<size_t>(submitted));
  for (const auto& [name, times] : ends) EXPECT_EQ(times, 1) << name;
  for (const auto& [name, how] : wrong) ADD_FAILURE() << name << " ended " << how;
  for (const auto& entry : std::filesystem::directory_iterator(starts)) {
    // None if it was killed before it could write.
    EXPECT_LE(std::filesystem::file_size(entry.path()), 2u) << entry.path() << ": started twice";
  }
  cluster.WaitUntil(v1::AGENTS,
                    [&cluster](const std::vector<v1::Object>&) { return cluster.AllFree(); });
  std::printf("%d kills, %d tasks\n", kills, submitted);
}

}  // namespace
}  // namespace proffer
