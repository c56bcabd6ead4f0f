// How long a cluster stands still when its leader goes: three masters on a real ZooKeeper of three
// servers, a hundred tasks submitted a second, and the leader killed (or stopped) again and again.
// A gap is the time from the leader's end to the first word of a task that was submitted after it.
// Beside the figures it counts what must never be: tasks lost, ended twice or started twice, by
// what the tasks themselves write down.
#include <glog/logging.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/bench.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/prng.h"
#include "proffer/framework.h"
#include "proffer/units.h"
#include "support/mini_cluster.h"
#include "support/zookeeper_ensemble.h"

namespace proffer {
namespace {

constexpr int64_t kBetweenTasksMs = 10;
constexpr int64_t kSessionMs = 4'000;
constexpr int64_t kPatienceMs = 120'000;

// Submits without end, at a fixed pace, whatever becomes of it, and hears what does.
class Traffic {
 public:
  Traffic(const testing::MiniCluster& cluster, Framework* framework)
      : starts_(cluster.directory() + "/starts"), framework_(framework) {
    CHECK_EQ(mkdir(starts_.c_str(), 0777), 0);
    chmod(starts_.c_str(), 0777);
    thread_ = std::thread([this] { Submit(); });
  }
  ~Traffic() { Stop(); }

  // When the first word came of a task that was submitted at `since` or later.
  Time FirstWord(Time since) {
    MutexLock lock(&mutex_);
    const Time give_up = BootTimeNow() + kPatienceMs;
    while (true) {
      const auto from =
          std::lower_bound(submitted_.begin(), submitted_.end(), since,
                           [](const Submitted& one, Time time) { return one.at < time; });
      Time first = Time::Never();
      for (auto it = from; it != submitted_.end(); ++it) first = std::min(first, it->heard);
      if (!first.IsNever()) return first;
      CHECK(BootTimeNow() < give_up) << "the cluster does not come back";
      heard_.WaitFor(&mutex_, 1'000);
    }
  }
  void Stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  // REQUIRES: stopped, and all have ended.
  void Count(int64_t* lost, int64_t* ended_twice, int64_t* started_twice, int64_t* failed) {
    MutexLock lock(&mutex_);
    for (size_t i = 0; i < submitted_.size(); ++i) {
      std::ifstream file(absl::StrCat(starts_, "/", i));
      const int64_t starts = std::count(std::istreambuf_iterator<char>(file), {}, '\n');
      *lost += starts == 0 || submitted_[i].ends == 0;
      *ended_twice += submitted_[i].ends > 1;
      *started_twice += starts > 1;
      *failed += !submitted_[i].ok;
    }
  }
  size_t count() {
    MutexLock lock(&mutex_);
    return submitted_.size();
  }

 private:
  struct Submitted {
    Time at;
    Time heard = Time::Never();
    int ends = 0;
    bool ok = false;
  };

  void Submit() {
    Time due = BootTimeNow();
    for (size_t i = 0; !stopping_; ++i, due = due + kBetweenTasksMs) {
      const int64_t early_ms = due - BootTimeNow();
      if (early_ms > 0) usleep(static_cast<useconds_t>(early_ms * 1'000));
      {
        MutexLock lock(&mutex_);
        submitted_.push_back({BootTimeNow()});
      }
      const Run run = framework_->Submit(Task{absl::StrCat("t", i)}
                                             .Command(absl::StrCat("echo x >> ", starts_, "/", i))
                                             .Cpus(0.1)
                                             .Mem(8_MiB));
      run.OnStatus([this, i](const TaskStatus& status) {
        if (status.state == TaskState::kRunning) Heard(i, nullptr);
      });
      run.OnDone([this, i](const Result& result) { Heard(i, &result); });
    }
  }
  void Heard(size_t i, const Result* end) {
    MutexLock lock(&mutex_);
    Submitted& one = submitted_[i];
    one.heard = std::min(one.heard, BootTimeNow());
    if (end != nullptr) {
      ++one.ends;
      one.ok = end->ok();
      if (!end->ok()) LOG(ERROR) << "task " << i << ": " << end->message;
    }
    heard_.SignalAll();
  }

  const std::string starts_;
  Framework* const framework_;
  std::atomic<bool> stopping_{false};
  Mutex mutex_;
  CondVar heard_;
  std::vector<Submitted> submitted_ GUARDED_BY_MUTEX(mutex_);
  std::thread thread_;
};

void BenchFailover(const std::string& name, int times, bool frozen, bench::Report& report) {
  testing::ZooKeeperEnsemble ensemble(3);
  testing::MiniCluster cluster(
      {.agents = 3,
       .resources = "cpus:8;mem:4GiB",
       .master_flags = {absl::StrCat("--zk_session_timeout_ms=", kSessionMs)},
       .zookeeper = ensemble.address("/bench"),
       .masters = 3});
  auto framework = Framework::Start({.name = "bench",
                                     .master = cluster.address(),
                                     .state_store = std::make_shared<MemoryStateStore>()});
  CHECK(framework.ok()) << framework.status();
  Traffic traffic(cluster, framework->get());
  Prng prng(1);
  std::vector<double> gaps;
  for (int i = 0; i < times; ++i) {
    // In the middle of whatever goes on; every master has come back by then.
    usleep(static_cast<useconds_t>(prng.Between(500, 1'500) * 1'000));
    const int leader = cluster.Leader();
    const Time gone = BootTimeNow();
    if (frozen) {
      cluster.PauseMaster(leader);
    } else {
      cluster.KillMaster(leader);
    }
    gaps.push_back(static_cast<double>(traffic.FirstWord(gone) - gone));
    if (frozen) {
      cluster.ResumeMaster(leader);
      cluster.AwaitMasterEnd(leader);
    }
    cluster.StartMaster(leader);
    std::fprintf(stderr, "\r%s: %d of %d, last gap %.0f ms ", name.c_str(), i + 1, times,
                 gaps.back());
  }
  std::fprintf(stderr, "\n");
  traffic.Stop();
  CHECK((*framework)->WaitAll());
  int64_t lost = 0, ended_twice = 0, started_twice = 0, failed = 0;
  traffic.Count(&lost, &ended_twice, &started_twice, &failed);
  const bench::Params params = {{"times", times},
                                {"session_ms", kSessionMs},
                                {"tasks", static_cast<int64_t>(traffic.count())}};
  for (const int percent : {50, 90, 99, 100}) {
    bench::Params with = params;
    with.push_back({"percentile", percent});
    report.Add(name + "/gap", with, testing::Percentile(gaps, percent), "ms");
  }
  report.Add(name + "/lost", params, static_cast<double>(lost), "tasks");
  report.Add(name + "/ended_twice", params, static_cast<double>(ended_twice), "tasks");
  report.Add(name + "/started_twice", params, static_cast<double>(started_twice), "tasks");
  report.Add(name + "/failed", params, static_cast<double>(failed), "tasks");
}

}  // namespace
}  // namespace proffer

int main(int argc, char** argv) {
  google::InitGoogleLogging(argv[0]);
  FLAGS_logtostderr = true;
  FLAGS_minloglevel = 2;
  proffer::bench::Report report(argc, argv);
  const std::string why = proffer::testing::ZooKeeperEnsemble::WhyNot();
  const auto wants = [&](const char* name) {
    if (!report.Wants(name)) return false;
    if (!why.empty()) std::fprintf(stderr, "%s: not run, because %s\n", name, why.c_str());
    return why.empty();
  };
  const char* told = std::getenv("PROFFER_KILLS");
  const int kills = told == nullptr ? 50 : std::atoi(told);
  if (wants("failover/killed")) proffer::BenchFailover("failover/killed", kills, false, report);
  if (wants("failover/frozen")) {
    proffer::BenchFailover("failover/frozen", std::max(kills / 5, 1), true, report);
  }
  return report.Finish();
}
