// A cluster with three masters on a real ZooKeeper: whoever leads may die or stand still, and
// tasks never notice; agents, schedulers and the CLI find the next leader by whatever they know.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cluster/counted_tasks.h"
#include "common/rpc/channel.h"
#include "common/rpc/deadline.h"
#include "common/rpc/leader_hint.h"
#include "proffer/framework.h"
#include "proffer/units.h"
#include "support/gates.h"
#include "support/mini_cluster.h"
#include "support/zookeeper_ensemble.h"

namespace proffer {
namespace {

using testing::AwaitRunning;
using testing::CountedTasks;
using testing::ExpectNothingLeft;
using testing::Gates;
using ::testing::HasSubstr;
using testing::MiniCluster;
using testing::ZooKeeperEnsemble;

constexpr int kMasters = 3;

class TakeoverTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (const std::string why = ZooKeeperEnsemble::WhyNot(); !why.empty()) {
      GTEST_SKIP() << "not run, because " << why;
    }
  }
  // Three servers, until the program ends, and a chroot for each cluster.
  static MiniCluster::Options Options(bool by_list = false) {
    static ZooKeeperEnsemble ensemble(3);
    static int clusters = 0;
    MiniCluster::Options options;
    options.agents = 1;
    options.resources = "cpus:8;mem:4GiB";
    options.zookeeper = ensemble.address(absl::StrCat("/takeover-", ++clusters));
    options.masters = kMasters;
    options.by_list = by_list;
    // Twice the tick of the ensemble is the least that it grants.
    options.master_flags = {"--zk_session_timeout_ms=1500"};
    return options;
  }
  static std::set<pid_t> PidsOf(const MiniCluster& cluster) {
    const std::vector<pid_t> pids = cluster.TaskProcesses();
    return {pids.begin(), pids.end()};
  }
};

// The parameter: whether agents and frameworks know the masters instead of the ensemble.
TEST_P(TakeoverTest, FiftyTasksLiveThroughTheDeathOfTwoLeaders) {
  constexpr int kTasks = 50;
  MiniCluster cluster(Options(GetParam()));
  const Gates gates(cluster.directory(), kTasks);
  CountedTasks tasks(cluster);
  for (int i = 0; i < kTasks; ++i) tasks.Submit(i, gates.Command(i));
  AwaitRunning(&cluster, kTasks);
  const std::set<pid_t> pids = PidsOf(cluster);
  const int first = cluster.Leader();
  cluster.KillMaster(first);
  EXPECT_EQ(PidsOf(cluster), pids) << "tasks noticed";
  for (int i = 0; i < kTasks / 2; ++i) gates.Open(i);  // While nobody leads.
  cluster.WaitForAgents(1);
  const int second = cluster.Leader();
  EXPECT_NE(second, first);
  cluster.StartMaster(first);
  cluster.KillMaster(second);
  for (int i = kTasks / 2; i < kTasks; ++i) gates.Open(i);
  tasks.ExpectOneEndEach();
  for (int i = 0; i < kTasks; ++i) {
    EXPECT_EQ(tasks.End(i).state, TaskState::kFinished) << tasks.End(i).message;
    EXPECT_EQ(gates.Starts(i), 1) << "task " << i << " was started again";
  }
  ExpectNothingLeft(&cluster);
}

INSTANTIATE_TEST_SUITE_P(Known, TakeoverTest, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "masters" : "ensemble"; });

class OneWayTest : public TakeoverTest {};

TEST_F(OneWayTest, ALeaderThatStandsStillIsLeftForTheNextAndEndsWhenItWakes) {
  MiniCluster cluster(Options());
  const Gates gates(cluster.directory(), 2);
  CountedTasks tasks(cluster);
  tasks.Submit(0, gates.Command(0));
  AwaitRunning(&cluster, 1);
  const int frozen = cluster.Leader();
  cluster.PauseMaster(frozen);
  // Accepted, launched and told about by another master.
  tasks.Submit(1, gates.Command(1, 3));
  gates.Open(1);
  EXPECT_EQ(tasks.End(1).exit_code, 3);
  EXPECT_NE(cluster.Leader(), frozen);
  cluster.ResumeMaster(frozen);
  const int status = cluster.AwaitMasterEnd(frozen);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) != 0) << "status " << status;
  gates.Open(0);
  tasks.ExpectOneEndEach();
  ExpectNothingLeft(&cluster);
}

TEST_F(OneWayTest, AStandbySaysWhoLeadsWhateverItIsAsked) {
  MiniCluster cluster(Options());
  const int leader = cluster.Leader();
  const int standby = leader == 1 ? 2 : 1;
  const rpc::Address address{cluster.master_address(standby), true};
  const auto stub = v1::OperatorService::NewStub(rpc::MakeChannel(address));
  grpc::ClientContext context;
  context.set_deadline(rpc::DeadlineIn(30'000));
  context.set_wait_for_ready(true);
  v1::ListResponse response;
  const grpc::Status status = stub->List(&context, v1::ListRequest(), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr(cluster.master_address(leader)));
  ASSERT_EQ(rpc::LeaderHint(context).size(), 1u);
  EXPECT_EQ(rpc::LeaderHint(context)[0].target, cluster.master_address(leader));
  // And who knows nobody but the standby gets there.
  const std::string proffer = absl::StrCat(PROFFER_BINARY_DIR, "/bin/proffer --master=");
  EXPECT_EQ(std::system((proffer + address.target + " ls agents -o json > /dev/null").c_str()), 0);
  EXPECT_EQ(std::system((proffer + cluster.address() + " run -- true").c_str()), 0);
}

TEST_F(OneWayTest, ASchedulerInPythonFindsTheNextLeader) {
  MiniCluster cluster(Options(/*by_list=*/true));
  // Should it hang, Python says where.
  FILE* pipe = popen(absl::StrCat("PYTHONFAULTHANDLER=1 timeout -s ABRT 100 ", PROFFER_SOURCE_DIR,
                                  "/examples/run_python.sh ", PROFFER_BINARY_DIR,
                                  " --count 100 --master ", cluster.address(), " 2>&1")
                         .c_str(),
                     "r");
  std::string text;
  bool killed = false;
  char line[4096];
  while (std::fgets(line, sizeof line, pipe) != nullptr) {
    text += line;
    if (killed || text.find("FINISHED") == std::string::npos) continue;
    cluster.KillMaster(cluster.Leader());
    killed = true;
  }
  const int status = pclose(pipe);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << text;
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0)
      << text.substr(text.size() < 2'000 ? 0 : text.size() - 2'000);
  EXPECT_TRUE(killed);
  EXPECT_THAT(text, HasSubstr("the stream broke"));
  for (int i = 1; i <= 100; ++i) {
    const std::string end = absl::StrCat("python-", i, " FINISHED");
    EXPECT_NE(text.find(end), std::string::npos) << "nothing of " << end;
  }
}

TEST_F(OneWayTest, TheNewerOfTwoSchedulersFencesTheOlderAndGoesOnUnderTheNextLeader) {
  MiniCluster cluster(Options());
  const Gates gates(cluster.directory(), 1);
  const auto store = std::make_shared<MemoryStateStore>();
  const FrameworkOptions options = {
      .name = "replicas", .master = cluster.address(), .state_store = store};
  auto older = *Framework::Start(options);
  const Task task = Task{"t"}.Command(gates.Command(0, 5)).Cpus(0.1).Mem(16_MiB);
  const proffer::Run told_by_older = older->Submit(task);
  AwaitRunning(&cluster, 1);
  auto newer = *Framework::Start(options);
  const proffer::Run told_by_newer = newer->Submit(task);
  EXPECT_FALSE(older->WaitAll());
  ASSERT_TRUE(older->stopped().has_value());
  EXPECT_EQ(older->stopped()->cause, StopCause::kSuperseded) << older->stopped()->message;
  cluster.KillMaster(cluster.Leader());
  gates.Open(0);
  EXPECT_EQ(told_by_newer.Wait().exit_code, 5);
  EXPECT_EQ(told_by_newer.Wait().launches, 1);
  EXPECT_EQ(gates.Starts(0), 1);
}

// What an instance finds in its store that read it before the newer one wrote.
std::shared_ptr<MemoryStateStore> CopyOf(MemoryStateStore* store) {
  std::vector<StateChange> all;
  const auto entries = *store->Load();
  for (const auto& [key, value] : entries) all.push_back({key, value});
  auto copy = std::make_shared<MemoryStateStore>();
  EXPECT_TRUE(copy->Write(all).ok());
  return copy;
}

TEST_F(OneWayTest, AnOlderSchedulerThatComesBackLaterDoesNotTakeOverUnderTheNextLeaderEither) {
  MiniCluster cluster(Options());
  const Gates gates(cluster.directory(), 1);
  const auto store = std::make_shared<MemoryStateStore>();
  FrameworkOptions options = {
      .name = "replicas", .master = cluster.address(), .state_store = store};
  const Task task = Task{"t"}.Command(gates.Command(0, 5)).Cpus(0.1).Mem(16_MiB);
  auto first = *Framework::Start(options);
  const proffer::Run told_by_first = first->Submit(task);
  AwaitRunning(&cluster, 1);
  first.reset();
  const auto old_store = CopyOf(store.get());
  auto newer = *Framework::Start(options);
  const proffer::Run told_by_newer = newer->Submit(task);
  AwaitRunning(&cluster, 1);
  newer.reset();
  newer = *Framework::Start(options);  // Two ahead of the copy.
  const proffer::Run told_by_newest = newer->Submit(task);
  newer->Submit(Task{"subscribed"}.Command("true").Cpus(0.1).Mem(16_MiB)).Wait();
  for (int leader = 0; leader < 2; ++leader) {
    options.state_store = CopyOf(old_store.get());
    auto older = *Framework::Start(options);
    older->Submit(task);
    EXPECT_FALSE(older->WaitAll());
    ASSERT_TRUE(older->stopped().has_value());
    EXPECT_EQ(older->stopped()->cause, StopCause::kSuperseded) << older->stopped()->message;
    EXPECT_THAT(older->stopped()->message, HasSubstr("instance 3 of framework"));
    if (leader == 0) cluster.KillMaster(cluster.Leader());
  }
  gates.Open(0);
  EXPECT_EQ(told_by_newest.Wait().exit_code, 5);
  EXPECT_EQ(gates.Starts(0), 1);
  EXPECT_FALSE(newer->stopped().has_value());
}

TEST_F(OneWayTest, TheFailoverDeadlineOfAFrameworkOutlivesTheLeader) {
  MiniCluster cluster(Options());
  const Gates gates(cluster.directory(), 1);
  {
    auto framework = *Framework::Start({.name = "away",
                                        .master = cluster.address(),
                                        .state_store = std::make_shared<MemoryStateStore>(),
                                        .failover_timeout = std::chrono::seconds(4)});
    framework->Submit(Task{"t"}.Command(gates.Command(0)).Cpus(0.1).Mem(16_MiB));
    AwaitRunning(&cluster, 1);
  }
  cluster.WaitUntil(v1::FRAMEWORKS, [](const std::vector<v1::Object>& frameworks) {
    return std::any_of(frameworks.begin(), frameworks.end(), [](const v1::Object& o) {
      return o.framework().name() == "away" && !o.framework().connected();
    });
  });
  cluster.KillMaster(cluster.Leader());
  cluster.WaitForAgents(1);
  ExpectNothingLeft(&cluster);  // Nobody came back in time.
}

}  // namespace
}  // namespace proffer
