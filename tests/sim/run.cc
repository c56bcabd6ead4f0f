#include "sim/run.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "master/core/world.h"
#include "sim/agent_node.h"
#include "sim/framework_node.h"
#include "sim/master_node.h"
#include "sim/witness.h"
#include "sim/world.h"

namespace proffer::sim {
namespace {

// A whole cluster and its troubles.
class Cluster {
 public:
  Cluster(uint64_t seed, bool verbose) : world_(seed), master_(&world_), witness_(&world_) {
    world_.set_verbose(verbose);
    DrawWeather();
    Build();
  }

  Verdict Run() {
    master_.Start();
    for (auto& agent : agents_) agent->Start();
    for (auto& framework : frameworks_) framework->Start();
    const Time trouble_ends = world_.now() + world_.prng().Between(20'000, 60'000);
    Trouble(trouble_ends);
    world_.Run(trouble_ends, nullptr);
    Heal();
    // Everything submitted ends: the longest silence anybody waits for is 75 s.
    const bool done =
        world_.Run(world_.now() + 600'000, [this] { return All(&FrameworkNode::done); });
    if (!done && world_.violations().empty()) return Judge("not every task has ended", true);
    // What was told is acknowledged by now or soon; then nothing may be left.
    for (auto& framework : frameworks_) framework->TearDown();
    const bool gone =
        world_.Run(world_.now() + 120'000, [this] { return All(&FrameworkNode::torn_down); });
    if (!gone && world_.violations().empty()) return Judge("a framework did not end", true);
    world_.Run(world_.now() + 60'000, nullptr);
    return Judge(world_.violations().empty() ? AtTheEnd() : "", false);
  }

 private:
  void DrawWeather() {
    Prng& prng = world_.prng();
    Weather& weather = world_.weather();
    if (prng.Chance(1, 2)) weather.latency_max_ms = prng.Between(5, 1'500);
    if (prng.Chance(1, 3)) weather.disk_max_ms = prng.Between(5, 400);
    const auto maybe = [&prng](int64_t low, int64_t high) {
      return prng.Chance(1, 2) ? prng.Between(low, high) : int64_t{0};
    };
    weather.wire_break_every_ms = maybe(500, 10'000);
    weather.master_crash_every_ms = maybe(4'000, 30'000);
    weather.agent_crash_every_ms = maybe(2'000, 20'000);
    weather.framework_crash_every_ms = maybe(2'000, 20'000);
    weather.pause_every_ms = maybe(5'000, 30'000);
  }

  void Build() {
    Prng& prng = world_.prng();
    const int agents = static_cast<int>(prng.Between(1, 4));
    for (int i = 0; i < agents; ++i) {
      agents_.push_back(std::make_unique<AgentNode>(
          &world_, &master_, &witness_, absl::StrCat("a", i + 1),
          absl::StrCat("cpus:", prng.Between(1, 4), ";mem:", prng.Between(1, 8),
                       "GiB;ports:[31000-31009]")));
    }
    const int frameworks = static_cast<int>(prng.Between(1, 3));
    for (int i = 0; i < frameworks; ++i) {
      std::vector<SimTask> tasks(prng.Between(1, 25));
      for (SimTask& task : tasks) {
        task.run_ms = prng.Between(1, prng.Chance(1, 5) ? 20'000 : 2'000);
        task.exit_code = prng.Chance(1, 5) ? 3 : 0;
        task.shape.Set(kCpus, prng.Between(1, 10) * 100);
        task.shape.Set(kMem, prng.Between(1, 16) << 26);
        if (prng.Chance(1, 4)) task.shape.Set(kPorts, prng.Between(1, 2));
      }
      tasks_ += static_cast<int64_t>(tasks.size());
      frameworks_.push_back(std::make_unique<FrameworkNode>(
          &world_, &master_, &witness_, absl::StrCat("f", i + 1),
          prng.Chance(1, 2) ? "default" : absl::StrCat("team", i), std::move(tasks)));
    }
  }

  // Does `what` again and again, about every `every_ms`, until trouble ends.
  void Every(int64_t every_ms, Time until, std::function<void()> what) {
    if (every_ms == 0) return;
    world_.After(world_.prng().Between(1, 2 * every_ms), [this, every_ms, until, what] {
      if (world_.now() >= until) return;
      ++faults_;
      what();
      Every(every_ms, until, what);
    });
  }

  template <typename Node>
  void Bounce(Node& node) {
    if (!node.up()) return;
    node.Crash();
    world_.After(world_.prng().Between(1, 8'000), [&node] {
      if (!node.up()) node.Start();
    });
  }

  void Trouble(Time until) {
    const Weather& weather = world_.weather();
    Prng& prng = world_.prng();
    Every(weather.wire_break_every_ms, until, [this] { master_.BreakOne(); });
    Every(weather.master_crash_every_ms, until, [this] { Bounce(master_); });
    Every(weather.agent_crash_every_ms, until,
          [this, &prng] { Bounce(*agents_[prng.Below(agents_.size())]); });
    Every(weather.framework_crash_every_ms, until,
          [this, &prng] { Bounce(*frameworks_[prng.Below(frameworks_.size())]); });
    Every(weather.pause_every_ms, until,
          [this, &prng] { master_.Pause(prng.Between(100, 40'000)); });
    if (prng.Chance(1, 2)) {
      Every(3'000, until,
            [this, &prng] { frameworks_[prng.Below(frameworks_.size())]->KillOne(); });
    }
  }

  void Heal() {
    Weather calm;
    world_.weather() = calm;
    master_.Pause(0);
    if (!master_.up()) master_.Start();
    for (auto& agent : agents_) {
      if (!agent->up()) agent->Start();
    }
    for (auto& framework : frameworks_) {
      if (!framework->up()) framework->Start();
    }
  }

  bool All(bool (FrameworkNode::*what)() const) const {
    for (const auto& framework : frameworks_) {
      if (!((*framework).*what)()) return false;
    }
    return true;
  }

  // Conservation, at rest: free = total, on both sides; nothing lives that nobody owns.
  std::string AtTheEnd() {
    if (witness_.living() > 0) {
      return absl::StrCat("H1: ", witness_.living(), " tasks live though no framework is left");
    }
    for (const auto& agent : agents_) {
      if (!agent->core()->tasks().all().empty()) {
        return absl::StrCat("T9: agent ", agent->core()->identity().agent.value(), " still has ",
                            agent->core()->tasks().all().size(), " tasks");
      }
    }
    // An id that was given but never reached the agent's disk stays behind, unused; that is fine.
    for (const auto& node : agents_) {
      const model::AgentId& id = node->core()->identity().agent;
      const master::Agent* agent = master_.core()->world().agents.Find(id);
      if (agent == nullptr || agent->state != master::AgentState::kConnected) {
        return absl::StrCat("A: agent ", id.value(), " is not connected at the end");
      }
      if (!(agent->free == agent->info.resources)) {
        return absl::StrCat("R2: agent ", id.value(), " has free ", agent->free.ToString(), " of ",
                            agent->info.resources.ToString());
      }
    }
    return "";
  }

  Verdict Judge(const std::string& sentence, bool liveness) {
    Verdict verdict;
    if (!world_.violations().empty()) {
      verdict.kind = Verdict::Kind::kSafety;
      verdict.sentence = world_.violations().front();
    } else if (!sentence.empty()) {
      verdict.kind = liveness ? Verdict::Kind::kLiveness : Verdict::Kind::kSafety;
      verdict.sentence = sentence;
    }
    verdict.fingerprint = world_.trace_hash() ^ world_.prng().Next();
    verdict.steps = world_.steps();
    verdict.simulated_ms = world_.now().ms;
    verdict.tasks = tasks_;
    verdict.starts = witness_.starts();
    verdict.faults = faults_;
    return verdict;
  }

  World world_;
  MasterNode master_;
  Witness witness_;
  std::vector<std::unique_ptr<AgentNode>> agents_;
  std::vector<std::unique_ptr<FrameworkNode>> frameworks_;
  int64_t tasks_ = 0;
  int64_t faults_ = 0;
};

}  // namespace

Verdict RunSeed(uint64_t seed, bool verbose) { return Cluster(seed, verbose).Run(); }

}  // namespace proffer::sim
