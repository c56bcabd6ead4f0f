#include "chaos/life.h"

#include <glog/logging.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "chaos/cluster.h"
#include "chaos/command.h"
#include "chaos/fault_driver.h"
#include "chaos/history.h"
#include "chaos/judges/judges.h"
#include "chaos/leaderships.h"
#include "chaos/schedule.h"
#include "chaos/supervisor.h"
#include "common/base/clock.h"
#include "common/base/end_process.h"

namespace proffer::chaos {
namespace {

constexpr useconds_t kTickUs = 10'000;
// Where the run's directory is seen by everybody in it. /dev/shm, /tmp and /var/tmp are a
// container's own, so that it could not write there what the judges are to read.
constexpr char kHere[] = "/run/proffer-chaos";
// Java starts, elects; everything else retries meanwhile. Other work may have the processors.
constexpr int64_t kStartMs = 90'000;
constexpr int64_t kSettleMs = 90'000;
// A replica that has written down an end and dies before that is acknowledged does not submit the
// task again in its next life: the SDK waits a minute for it to do so (task_queue.h,
// claim_within_ms), and only then may the agent forget the task.
constexpr int64_t kCleanMs = 90'000;
// scheduler_main.cc: another replica took over.
constexpr int kExitSchedulerStopped = 3;

// Our mount namespace's alone. Nobody else's mounts change with it.
std::string BindHere(const std::string& directory) {
  std::filesystem::create_directories(kHere);
  PCHECK(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
  PCHECK(mount(directory.c_str(), kHere, nullptr, MS_BIND, nullptr) == 0);
  return kHere;
}

class Life {
 public:
  explicit Life(const LifeOptions& options)
      : options_(options),
        directory_(BindHere(options.directory)),
        supervisor_(directory_ + "/logs"),
        cluster_(directory_, options.groups, options.seed, &supervisor_),
        driver_(MakeSchedule(options.seed, options.faults_ms), &cluster_, &supervisor_),
        leaderships_(cluster_.MasterLogs()) {}

  Result Run() {
    if (Until("the agents to connect", kStartMs, [this] { return AllAtRest(); })) {
      cluster_.StartSchedulers();
      if (Until("the tasks to start", kStartMs, [this] { return HasStarted(); })) {
        Break();
        Recover();
      }
    }
    result_.story.insert(result_.story.begin(), driver_.story().begin(), driver_.story().end());
    supervisor_.KillAll();
    return result_;
  }

 private:
  // The supervisor's and the driver's work goes on while we wait. False, and a violation: it did
  // not come to be.
  bool Until(const char* what, int64_t patience_ms, const std::function<bool()>& done) {
    const Time give_up = BootTimeNow() + patience_ms;
    while (!done()) {
      Tick();
      if (BootTimeNow() >= give_up) {
        Violation(absl::StrCat("V: waited for ", what, " for ", patience_ms, " ms"));
        return false;
      }
      usleep(kTickUs);
    }
    return true;
  }
  void Tick() {
    supervisor_.Tick(BootTimeNow());
    leaderships_.Tick(BootTimeNow());
  }
  void Violation(const std::string& what) { result_.violations.push_back(what); }
  void Add(const Violations& violations) {
    result_.violations.insert(result_.violations.end(), violations.begin(), violations.end());
  }

  bool AllConnected() {
    const std::optional<std::vector<v1::AgentView>> agents = cluster_.Agents();
    return agents && kAgents == std::count_if(agents->begin(), agents->end(), [](const auto& one) {
                       return one.state() == v1::CONNECTED;
                     });
  }
  // All connected, agents to launchers as well, and nothing to do yet: what they hold now is what
  // they may hold in the end.
  bool AllAtRest() {
    if (!AllConnected()) return false;
    holdings_ = cluster_.HoldingsNow();
    return std::all_of(holdings_.begin(), holdings_.end(), [](const auto& one) {
      const bool is_launcher = one.first[0] == 'l' && one.first != "leader";
      return !is_launcher || one.second.sockets >= 2;  // It listens, and its agent is there.
    });
  }
  bool HasStarted() {
    std::vector<std::string> bad;
    std::set<std::string> live;
    for (const WitnessLine& line : ParseWitness(cluster_.witness(), &bad)) {
      if (line.task.find("-l") != std::string::npos) live.insert(line.task);
    }
    if (live.size() < Cluster::kLongTasks) {
      usleep(50'000);
      return false;
    }
    return AllConnected();
  }

  void Break() {
    const Time begin = BootTimeNow();
    while (driver_.Tick(BootTimeNow() - begin) || BootTimeNow() - begin < options_.faults_ms) {
      Tick();
      usleep(kTickUs);
    }
    for (int i = 0; i < kFaultKinds; ++i) {
      const int times = driver_.done()[static_cast<size_t>(i)];
      if (times > 0) result_.faults[Name(static_cast<FaultKind>(i))] = times;
    }
  }

  void Recover() {
    double load = 0;
    getloadavg(&load, 1);
    result_.figures["load_percent"] = static_cast<int64_t>(load * 100);
    driver_.Heal();
    cluster_.Quiet();
    const Time healed = BootTimeNow();
    // Before that nobody can lead; how long it takes is none of ours.
    Until("ZooKeeper", kSettleMs, [this] { return cluster_.EnsembleServes(); });
    result_.figures["zookeeper_ms"] = BootTimeNow() - healed;
    Until("a leader", kSettleMs, [this] { return cluster_.Agents().has_value(); });
    result_.figures["leader_ms"] = BootTimeNow() - healed;
    Until("all agents", kSettleMs, [this] { return AllConnected(); });
    result_.figures["agents_ms"] = BootTimeNow() - healed;
    cluster_.Release();
    const bool complete = Until("all tasks to end and be told", kSettleMs, [this] {
      usleep(50'000);
      return Completed() == 2;
    });
    result_.figures["complete_ms"] = BootTimeNow() - healed;
    if (complete) JudgeHost();
    Judge(healed);
  }
  size_t Completed() const {
    std::vector<std::string> bad;
    std::set<std::string> frameworks;
    for (const ClientLine& line : ParseClients(cluster_.clients(), &bad)) {
      if (line.event == "complete") frameworks.insert(line.framework);
    }
    return frameworks.size();
  }

  // R2, H1: nothing is held, nothing is left.
  void JudgeHost() {
    std::vector<std::string> left;
    const auto all_free = [&] {
      left = cluster_.Remains();
      const std::optional<std::vector<v1::AgentView>> agents = cluster_.Agents();
      if (!agents) left.emplace_back("no leader answers");
      for (const v1::AgentView& agent : agents.value_or(std::vector<v1::AgentView>())) {
        if (agent.used().empty() && agent.offered().empty()) continue;
        left.push_back(absl::StrCat("of ", agent.hostname(), " ", agent.used_size(),
                                    " resources are used and ", agent.offered_size(), " offered"));
      }
      return left.empty();
    };
    if (!Until("everything to be free and gone", kCleanMs, all_free)) {
      for (const std::string& one : left) Violation("H1: left: " + one);
    }
    Violations held;
    const auto as_at_first = [&] {
      held = JudgeHoldings(holdings_, cluster_.HoldingsNow());
      return held.empty();
    };
    if (!Until("daemons to hold no more than at first", kCleanMs, as_at_first)) Add(held);
    for (const auto& [name, now] : cluster_.HoldingsNow()) {
      const Holdings& then = holdings_[name];
      result_.story.push_back(absl::StrCat(name, " held and holds files ", then.files, " ",
                                           now.files, ", sockets ", then.sockets, " ", now.sockets,
                                           ", threads ", then.threads, " ", now.threads,
                                           ", mounts ", then.mounts, " ", now.mounts));
    }
  }

  void Judge(Time healed) {
    Violations bad;
    const std::vector<WitnessLine> witness = ParseWitness(cluster_.witness(), &bad);
    const std::vector<ClientLine> clients = ParseClients(cluster_.clients(), &bad);
    Add(bad);
    Add(JudgeTasks(witness, clients));
    Add(JudgeClients(clients));
    leaderships_.Tick(BootTimeNow());
    std::vector<std::vector<RegistryWrite>> logs;
    for (int i = 1; i <= kZooKeepers; ++i) {
      logs.push_back(ParseTransactions(cluster_.TransactionLog(i)));
    }
    const std::vector<RegistryWrite> writes = MergeTransactions(logs);
    if (writes.empty()) Violation("L1: the log of transactions cannot be read");
    result_.figures["epochs"] = static_cast<int64_t>(leaderships_.all().size());
    result_.figures["registry_writes"] = static_cast<int64_t>(writes.size());
    Add(JudgeEpochs(leaderships_.all(), writes));
    JudgeEnds("m", {kExitRestart});
    JudgeEnds("l", {});
    JudgeEnds("s", {kExitSchedulerStopped});
    // An agent that cannot write is to end, and cannot start while its disk is full.
    for (int i = 1; i <= kAgents; ++i) {
      const std::string name = absl::StrCat("a", i);
      const bool could_not_write =
          name == kFullDiskAgent && cluster_.log(name).find("No space left") != std::string::npos;
      JudgeEnds(name, could_not_write ? std::set<int>{1, kExitRestart} : std::set<int>{});
    }
    // A registry on which a write that was acknowledged is taken back can be nobody's foundation.
    // Without a violation nobody was told of what was taken back.
    if (!result_.violations.empty()) result_.void_because = ForgottenByZooKeeper(writes);
    result_.figures["updates_ms"] = UpdatesDelivered(witness, clients, healed.ms);
    result_.figures["tasks"] = std::count_if(witness.begin(), witness.end(),
                                             [](const auto& line) { return !line.is_end; });
    // Of schedulers, after the first one's of each framework.
    result_.figures["takeovers"] =
        std::count_if(clients.begin(), clients.end(),
                      [](const auto& line) { return line.event == "leads"; }) -
        2;
    result_.figures["failed_launches"] =
        std::count_if(clients.begin(), clients.end(),
                      [](const auto& line) { return line.reason == "LAUNCH_FAILED"; });
  }
  // C: daemons end by themselves for known reasons only: exit codes, and signals below 0.
  void JudgeEnds(const std::string& prefix, const std::set<int>& expected) {
    for (const auto& [status, times] : supervisor_.EndsOf(prefix)) {
      const int how = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
      if (expected.count(how) > 0) continue;
      Violation(absl::StrCat("C: a daemon ", prefix, "* has ended by itself, ",
                             how < 0 ? "signal " : "exit code ", std::abs(how), ", ", times,
                             " times"));
    }
  }

  const LifeOptions options_;
  const std::string directory_;  // As everybody in the run sees it.
  Supervisor supervisor_;
  Cluster cluster_;
  FaultDriver driver_;
  std::map<std::string, Holdings> holdings_;  // Before the first task.
  Leaderships leaderships_;
  Result result_;
};

}  // namespace

Result Live(const LifeOptions& options) { return Life(options).Run(); }

}  // namespace proffer::chaos
