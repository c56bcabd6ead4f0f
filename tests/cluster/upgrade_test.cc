// A cluster is upgraded under load, one daemon at a time as docs/operating.md has it, and back
// again with everything the newer version has written: nothing is lost, nothing is started twice,
// and no task notices. The other version is another build's directory bin in PROFFER_OTHER_BIN,
// which scripts/upgrade.sh makes from any commit; without it the cluster is restarted with its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <string>

#include "absl/strings/str_cat.h"
#include "cluster/counted_tasks.h"
#include "support/gates.h"
#include "support/launcher_process.h"
#include "support/mini_cluster.h"
#include "support/zookeeper_ensemble.h"

namespace proffer {
namespace {

using testing::AwaitRunning;
using testing::CountedTasks;
using testing::ExpectNothingLeft;
using testing::Gates;
using testing::MiniCluster;
using testing::ZooKeeperEnsemble;

constexpr int kMasters = 3;
constexpr int kAgents = 2;
// A task a step of the way ends, another one begins.
constexpr int kSteps = 2 * (kMasters + kAgents);
constexpr int kAtOnce = 20;

std::string OwnBinaries() { return absl::StrCat(PROFFER_BINARY_DIR, "/bin"); }
std::string OtherBinaries() {
  const char* other = std::getenv("PROFFER_OTHER_BIN");
  return other == nullptr ? OwnBinaries() : other;
}

class Journey {
 public:
  explicit Journey(const ZooKeeperEnsemble& ensemble)
      : cluster_(Options(ensemble)),
        gates_(cluster_.directory(), kAtOnce + kSteps),
        tasks_(cluster_) {
    for (int i = 0; i < kAtOnce; ++i) Submit();
    AwaitRunning(&cluster_, kAtOnce);
  }

  void Upgrade(const std::string& binaries) {
    cluster_.UseBinaries(binaries);
    const int leader = cluster_.Leader();
    for (int i = 1; i <= kMasters; ++i) {
      if (i != leader) Step([this, i] { RestartMaster(i); });
    }
    Step([this, leader] { RestartMaster(leader); });
    for (int i = 1; i <= kAgents; ++i) Step([this, i] { RestartAgent(i); });
  }
  // In the opposite order.
  void Downgrade(const std::string& binaries) {
    cluster_.UseBinaries(binaries);
    for (int i = kAgents; i >= 1; --i) Step([this, i] { RestartAgent(i); });
    const int leader = cluster_.Leader();
    Step([this, leader] { RestartMaster(leader); });
    for (int i = kMasters; i >= 1; --i) {
      if (i != leader) Step([this, i] { RestartMaster(i); });
    }
  }
  void End() {
    while (ended_ < submitted_) gates_.Open(ended_++);
    tasks_.ExpectOneEndEach();
    for (int i = 0; i < submitted_; ++i) {
      EXPECT_EQ(tasks_.End(i).state, TaskState::kFinished) << tasks_.End(i).message;
      // An accept that was lost with the leader it was sent to is made again: launched twice, and
      // started once.
      EXPECT_EQ(gates_.Starts(i), 1) << "task " << i << " was started again";
    }
    ExpectNothingLeft(&cluster_);
  }

 private:
  static MiniCluster::Options Options(const ZooKeeperEnsemble& ensemble) {
    MiniCluster::Options options;
    options.agents = kAgents;
    options.resources = "cpus:8;mem:4GiB";
    options.zookeeper = ensemble.address("/upgrade");
    options.masters = kMasters;
    options.contained = testing::CanContain(true);
    options.master_flags = {"--zk_session_timeout_ms=1500"};
    options.binaries = OtherBinaries();
    return options;
  }
  void Submit() {
    tasks_.Submit(submitted_, gates_.Command(submitted_));
    ++submitted_;
  }
  // Something is restarted while a task ends and another one is to begin.
  void Step(const std::function<void()>& restart) {
    gates_.Open(ended_++);
    Submit();
    restart();
    cluster_.WaitForAgents(kAgents);
    AwaitRunning(&cluster_, kAtOnce);
  }
  void RestartMaster(int number) {
    cluster_.KillMaster(number);
    cluster_.StartMaster(number);
  }
  void RestartAgent(int number) {
    cluster_.KillLauncher(number);
    cluster_.StartLauncher(number);
    EXPECT_EQ(cluster_.StopAgent(number), 0);
    cluster_.StartAgent(number);
  }

  MiniCluster cluster_;
  const Gates gates_;
  CountedTasks tasks_;
  int submitted_ = 0;
  int ended_ = 0;
};

TEST(UpgradeTest, TasksLiveThroughAnUpgradeAndTheWayBack) {
  if (const std::string why = ZooKeeperEnsemble::WhyNot(); !why.empty()) {
    GTEST_SKIP() << "not run, because " << why;
  }
  const ZooKeeperEnsemble ensemble(1);
  Journey journey(ensemble);
  journey.Upgrade(OwnBinaries());
  journey.Downgrade(OtherBinaries());
  journey.End();
}

}  // namespace
}  // namespace proffer
