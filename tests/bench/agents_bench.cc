// One master and very many agents: three masters on a real ZooKeeper, and agents that are real in
// all but their containers (support/emulated_agents.h), each with a TCP connection of its own. How
// long they take to register, what they and their tasks cost the master, and how long it takes
// until all are back and work goes on when the leader is killed.
#include <glog/logging.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/bench.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "proffer/framework.h"
#include "proffer/units.h"
#include "support/emulated_agents.h"
#include "support/mini_cluster.h"
#include "support/process_figures.h"
#include "support/zookeeper_ensemble.h"

namespace proffer {
namespace {

constexpr int64_t kPatienceMs = 300'000;
constexpr int kTasksAnAgent = 10;

// Counts up, and wakes who waits for a number.
class Counter {
 public:
  void Add() {
    MutexLock lock(&mutex_);
    ++count_;
    changed_.SignalAll();
  }
  void Await(int count) {
    const Time give_up = BootTimeNow() + kPatienceMs;
    MutexLock lock(&mutex_);
    while (count_ < count) {
      CHECK(BootTimeNow() < give_up) << count_ << " of " << count;
      changed_.WaitFor(&mutex_, 1'000);
    }
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  int count_ GUARDED_BY_MUTEX(mutex_) = 0;
};

Run Launch(Framework* framework, int number, Counter* running) {
  const Run run =
      framework->Submit(Task{absl::StrCat("t", number)}.Command("-").Cpus(0.1).Mem(16_MiB));
  run.OnStatus([running](const TaskStatus& status) {
    if (status.state == TaskState::kRunning) running->Add();
  });
  return run;
}

uint64_t EpochOf(testing::MiniCluster* cluster) {
  grpc::ClientContext context;
  v1::Cluster answer;
  CHECK(cluster->stub().GetCluster(&context, v1::GetClusterRequest(), &answer).ok());
  return answer.revision().epoch();
}

void BenchAgents(bench::Report& report, int count) {
  testing::ZooKeeperEnsemble ensemble(3);
  testing::MiniCluster cluster(
      {.agents = 0,
       // All of them are on this machine, and in one process that is slow to say its first words
       // and to answer pings while it connects some thousand of them.
       .master_flags = {"--connections_of_peer=1000000", "--connects_of_peer=1000000",
                        "--patience_ms=120000", "--agent_unreachable_ms=120000"},
       .zookeeper = ensemble.address("/bench"),
       .masters = 3,
       .tcp = true,
       .by_list = true});
  const auto note = [](const std::string& what) { std::fprintf(stderr, "%s\n", what.c_str()); };
  const int tasks = count * kTasksAnAgent;
  const bench::Params params = {{"agents", count}, {"tasks", tasks}};
  int leader = cluster.Leader();
  const double empty_kib = testing::ResidentKib(cluster.master_pid(leader));

  Time begin = BootTimeNow();
  testing::EmulatedAgents agents(count, cluster.address(), "cpus:2;mem:2GiB");
  CHECK(agents.AwaitRegistered(1, kPatienceMs));
  report.Add("agents/register", params, static_cast<double>(BootTimeNow() - begin), "ms");
  const double registered_kib = testing::ResidentKib(cluster.master_pid(leader));
  report.Add("agents/master_per_agent", params, (registered_kib - empty_kib) / count, "KiB");
  note("registered");

  auto framework = Framework::Start({.name = "bench",
                                     .master = cluster.address(),
                                     .state_store = std::make_shared<MemoryStateStore>()});
  CHECK(framework.ok()) << framework.status();
  Counter running;
  begin = BootTimeNow();
  for (int i = 0; i < tasks; ++i) Launch(framework->get(), i, &running);
  running.Await(tasks);
  const double seconds = static_cast<double>(BootTimeNow() - begin) / 1e3;
  report.Add("agents/launches", params, tasks / seconds, "tasks/s");
  const double loaded_kib = testing::ResidentKib(cluster.master_pid(leader));
  report.Add("agents/master_per_task", params, (loaded_kib - registered_kib) / tasks, "KiB");
  report.Add("agents/master", params, loaded_kib / 1024, "MiB");
  note("all tasks run");

  const uint64_t epoch = EpochOf(&cluster);
  begin = BootTimeNow();
  cluster.KillMaster(leader);
  // Waits as everybody else does for whoever leads next.
  Counter again;
  Launch(framework->get(), tasks, &again);
  again.Await(1);
  report.Add("agents/failover_first_task", params, static_cast<double>(BootTimeNow() - begin),
             "ms");
  CHECK(agents.AwaitRegistered(epoch + 1, kPatienceMs));
  report.Add("agents/failover_all_back", params, static_cast<double>(BootTimeNow() - begin), "ms");
  leader = cluster.Leader();
  report.Add("agents/master_after_failover", params,
             testing::ResidentKib(cluster.master_pid(leader)) / 1024, "MiB");
  note("all are back");
}

}  // namespace
}  // namespace proffer

int main(int argc, char** argv) {
  google::InitGoogleLogging(argv[0]);
  FLAGS_logtostderr = true;
  FLAGS_minloglevel = google::GLOG_ERROR;
  proffer::bench::Report report(argc, argv);
  const char* told = std::getenv("PROFFER_AGENTS");
  const int agents = told == nullptr ? 1'000 : std::atoi(told);
  if (report.Wants("agents/")) {
    const std::string why = proffer::testing::ZooKeeperEnsemble::WhyNot();
    if (why.empty()) {
      proffer::BenchAgents(report, agents);
    } else {
      std::fprintf(stderr, "agents: not run, because %s\n", why.c_str());
    }
  }
  return report.Finish();
}
