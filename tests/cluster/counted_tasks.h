// What tests of agents that die share: tasks whose ends are counted, and looking for what is left.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/mutex.h"
#include "proffer/framework.h"
#include "proffer/state_store.h"
#include "proffer/units.h"
#include "support/mini_cluster.h"

namespace proffer::testing {

// A framework whose ends are counted.
class CountedTasks {
 public:
  explicit CountedTasks(const MiniCluster& cluster) {
    auto framework = Framework::Start({.name = "counted",
                                       .master = cluster.address(),
                                       .state_store = std::make_shared<MemoryStateStore>()});
    EXPECT_TRUE(framework.ok()) << framework.status();
    framework_ = *std::move(framework);
  }
  void Submit(int i, const std::string& command) {
    Run run = framework_->Submit(Task{absl::StrCat("t", i)}.Command(command).Cpus(0.1).Mem(16_MiB));
    run.OnDone([this, i](const Result&) {
      MutexLock lock(&mutex_);
      ++ends_[i];
    });
    runs_.push_back(run);
  }
  const Result& End(int i) { return runs_.at(i).Wait(); }
  Run& run(int i) { return runs_.at(i); }
  // Every task has ended, each once.
  void ExpectOneEndEach() {
    for (size_t i = 0; i < runs_.size(); ++i) {
      ASSERT_NE(runs_[i].WaitFor(std::chrono::minutes(1)), nullptr) << "no end of task " << i;
    }
    EXPECT_TRUE(framework_->WaitAll());
    MutexLock lock(&mutex_);
    EXPECT_EQ(ends_.size(), runs_.size());
    for (const auto& [i, times] : ends_) EXPECT_EQ(times, 1) << "end of task " << i;
  }

 private:
  Mutex mutex_;
  std::map<int, int> ends_ GUARDED_BY_MUTEX(mutex_);
  std::vector<Run> runs_;
  std::unique_ptr<Framework> framework_;
};

inline void AwaitRunning(MiniCluster* cluster, int count) {
  cluster->WaitUntil(v1::TASKS, [count](const std::vector<v1::Object>& tasks) {
    return count == std::count_if(tasks.begin(), tasks.end(), [](const v1::Object& o) {
             return o.task().state() == v1::RUNNING;
           });
  });
}

inline void ExpectNothingLeft(MiniCluster* cluster) {
  cluster->WaitUntil(v1::AGENTS, [cluster](const auto&) { return cluster->AllFree(); });
  EXPECT_THAT(cluster->AwaitNoRemains(1), ::testing::IsEmpty());
}

// Waits until that agent has said so many times that an attempt has ended.
inline void AwaitEndsInLog(const MiniCluster& cluster, int count) {
  for (int tries = 0; tries < 10'000; ++tries) {
    const std::vector<std::string> parts = absl::StrSplit(cluster.agent_log(1), " ended, exit");
    if (static_cast<int>(parts.size()) > count) return;
    usleep(2'000);
  }
  ADD_FAILURE() << "no task has ended";
}

}  // namespace proffer::testing
