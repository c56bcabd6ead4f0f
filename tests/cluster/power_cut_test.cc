// The power of an agent's or a master's machine is cut in the middle of launches, ends and
// acknowledgements, and its disk keeps what was synced and nothing else. What anybody had been told
// is never contradicted: nothing starts twice, every task ends once, as it was told the first time.
#include <glog/logging.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cluster/counted_tasks.h"
#include "cluster/told_history.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/prng.h"
#include "proffer/framework.h"
#include "proffer/state_store.h"
#include "proffer/units.h"
#include "support/loop_disk.h"
#include "support/mini_cluster.h"

namespace proffer {
namespace {

using testing::LoopDisk;
using testing::MiniCluster;
using testing::Percentile;
using testing::ToldHistory;

// Tasks that end by themselves, at once or a little later, and sleepers that are killed once they
// run; always some on their way.
class Traffic {
 public:
  explicit Traffic(const MiniCluster& cluster) : starts_(cluster.directory() + "/starts") {
    mkdir(starts_.c_str(), 0777);
    auto framework = Framework::Start({.name = "power",
                                       .master = cluster.address(),
                                       .state_store = std::make_shared<MemoryStateStore>()});
    CHECK(framework.ok()) << framework.status();
    framework_ = *std::move(framework);
  }

  // Keeps so many on their way until so many more have ended.
  void Pass(int ends, int on_their_way) {
    next_ += ends;
    while (submitted_ < next_ + on_their_way) Submit();
    MutexLock lock(&mutex_);
    const Time give_up = BootTimeNow() + 90'000;
    while (ended_ < next_) {
      ASSERT_LT(BootTimeNow(), give_up) << ended_ << " of " << next_ << " have ended";
      changed_.WaitFor(&mutex_, 1'000);
    }
  }

  void ExpectOneStartAndOneEndEach() {
    EXPECT_TRUE(framework_->WaitAll());
    MutexLock lock(&mutex_);
    EXPECT_EQ(ends_.size(), static_cast<size_t>(submitted_));
    for (const auto& [name, times] : ends_) EXPECT_EQ(times, 1) << name;
    for (const auto& [name, how] : wrong_) ADD_FAILURE() << name << " ended " << how;
    // A task is called never started, and launched again, only if it never was.
    std::map<std::string, std::uintmax_t> starts;
    for (const auto& entry : std::filesystem::directory_iterator(starts_)) {
      const std::string attempt = entry.path().filename().string();
      starts[attempt.substr(0, attempt.find('.'))] += entry.file_size() / 2;
    }
    // None if the power went before it could write.
    for (const auto& [name, times] : starts) EXPECT_LE(times, 1u) << name << " was started again";
    EXPECT_GT(starts.size(), ends_.size() / 2);
  }
  int submitted() const { return submitted_; }
  int rebooted() {
    MutexLock lock(&mutex_);
    return rebooted_;
  }

 private:
  void Submit() {
    const int number = submitted_++;
    const std::string name = absl::StrCat("t", number);
    const bool sleeper = number % 4 == 3;
    const int code = number % 3;
    const std::string end = sleeper           ? "exec sleep 1000"
                            : number % 2 == 0 ? absl::StrCat("exit ", code)
                                              : absl::StrCat("sleep 0.1; exit ", code);
    Run run =
        framework_->Submit(Task{name}
                               .Command(absl::StrCat("echo x >> ", starts_,
                                                     "/$PROFFER_TASK_ID.$PROFFER_ATTEMPT; ", end))
                               .Cpus(0.5)
                               .Mem(32_MiB));
    {
      MutexLock lock(&mutex_);
      runs_.emplace(number, run);
    }
    run.OnStatus([this, number, sleeper](const TaskStatus& status) {
      if (!sleeper || status.state != TaskState::kRunning) return;
      MutexLock lock(&mutex_);
      runs_.at(number).Kill();
    });
    run.OnDone([this, name, sleeper, code](const Result& result) {
      MutexLock lock(&mutex_);
      ++ended_;
      ++ends_[name];
      if (result.reason == TaskReason::kAgentRebooted) {
        ++rebooted_;
      } else if (sleeper ? result.state != TaskState::kKilled : result.exit_code != code) {
        wrong_[name] =
            absl::StrCat(Name(result.state), " ", Name(result.reason), " ", result.message);
      }
      changed_.SignalAll();
    });
  }

  const std::string starts_;
  int submitted_ = 0;
  int next_ = 0;
  Mutex mutex_;
  CondVar changed_;
  int ended_ GUARDED_BY_MUTEX(mutex_) = 0;
  int rebooted_ GUARDED_BY_MUTEX(mutex_) = 0;
  std::map<int, Run> runs_ GUARDED_BY_MUTEX(mutex_);
  std::map<std::string, int> ends_ GUARDED_BY_MUTEX(mutex_);
  std::map<std::string, std::string> wrong_ GUARDED_BY_MUTEX(mutex_);
  std::unique_ptr<Framework> framework_;  // Last: its thread calls back.
};

class PowerCutTest : public ::testing::TestWithParam<bool> {};

TEST_P(PowerCutTest, WhatWasToldIsNeverContradicted) {
  const bool contained = GetParam();
  if (const std::string missing = LoopDisk::Missing(); !missing.empty()) GTEST_SKIP() << missing;
  if (contained && !testing::CanContain(true)) GTEST_SKIP() << "containers need cgroups";
  const char* told = std::getenv("PROFFER_POWER_CUTS");
  // Half of them here, half of them in the other world.
  const int cuts = ((told == nullptr ? 15 : std::atoi(told)) + (contained ? 0 : 1)) / 2;
  const char* seed = std::getenv("PROFFER_SEED");
  Prng prng(seed == nullptr ? 7 : std::strtoull(seed, nullptr, 10));

  MiniCluster cluster({.agents = 0, .resources = "cpus:4;mem:4GiB", .contained = contained});
  cluster.KillMaster();
  const std::string registry = cluster.directory() + "/registry";
  mkdir(registry.c_str(), 0700);
  mkdir(cluster.work_dir(1).c_str(), 0711);
  LoopDisk master_disk(registry, 32);
  auto agent_disk = std::make_unique<LoopDisk>(cluster.work_dir(1), 64);
  cluster.StartMaster();
  int boots = 0;
  const auto start_agent = [&] {
    cluster.StartAgent(
        1, {"proffer-agent", {}, absl::StrFormat("0b007ed0-0000-4000-8000-%012d", ++boots)});
  };
  start_agent();
  cluster.WaitForAgents(1);
  const std::string agent = cluster.List(v1::AGENTS)[0].agent().agent_id();
  ToldHistory history(cluster.master_address(1));
  Traffic traffic(cluster);
  std::vector<double> seconds;
  std::vector<double> between;
  int of_masters = 0;
  for (int cut = 0; cut < cuts; ++cut) {
    SCOPED_TRACE(absl::StrCat("cut ", cut));
    const Time before = BootTimeNow();
    ASSERT_NO_FATAL_FAILURE(traffic.Pass(1 + static_cast<int>(prng.Below(8)), 12));
    // Anywhere between two ends.
    usleep(static_cast<useconds_t>(prng.Below(30'000)));
    const Time began = BootTimeNow();
    between.push_back(static_cast<double>(began - before) / 1000);
    const uint64_t who = prng.Below(8);
    const bool of_master = who <= 1;
    const bool of_agent = who >= 1;
    // The processor goes first: an fdatasync that is under way while the ioctl shuts the disk down
    // may return success and have lost its bytes, and nobody may live to tell of it.
    if (of_agent) {
      kill(cluster.agent_pid(1), SIGKILL);
      agent_disk->CutPower();
      cluster.CutPower(1, true);
    }
    if (of_master) {
      ++of_masters;
      kill(cluster.master_pid(1), SIGKILL);
      master_disk.CutPower();
      cluster.KillMaster();
      master_disk.Remount();
      cluster.StartMaster();
    }
    if (of_agent) {
      agent_disk->Remount();
      cluster.StartLauncher(1);
      start_agent();
    }
    cluster.WaitForAgents(1);
    seconds.push_back(static_cast<double>(BootTimeNow() - began) / 1000);
    const std::vector<v1::Object> agents = cluster.List(v1::AGENTS);
    ASSERT_EQ(agents.size(), 1u);
    ASSERT_EQ(agents[0].agent().agent_id(), agent);
  }
  traffic.ExpectOneStartAndOneEndEach();
  testing::ExpectNothingLeft(&cluster);
  for (const std::string& contradiction : history.Contradictions()) ADD_FAILURE() << contradiction;
  EXPECT_GT(history.ends(), traffic.submitted() / 2);
  std::printf(
      "%d cuts (%d of the master), %d tasks, %d of them rebooted; back after p50 %.2f s, "
      "p90 %.2f s; p50 %.2f s, p90 %.2f s of work between them\n",
      cuts, of_masters, traffic.submitted(), traffic.rebooted(), Percentile(seconds, 50),
      Percentile(seconds, 90), Percentile(between, 50), Percentile(between, 90));
  cluster.StopAgent(1);
  cluster.KillLauncher(1);
  cluster.KillMaster();
}

INSTANTIATE_TEST_SUITE_P(Worlds, PowerCutTest, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "containers" : "posix"; });

}  // namespace
}  // namespace proffer
