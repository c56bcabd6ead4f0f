#include "sim/life.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/simulation.h"
#include "master/core/world.h"
#include "sim/faults.h"
#include "sim/judges/judges.h"

namespace proffer::sim {
namespace {

// Everything submitted ends within that: the longest that anybody waits is the time until an agent
// is unreachable, and then a retry that has backed off to a minute.
constexpr int64_t kDoneWithinMs = 600'000;
constexpr int64_t kGoneWithinMs = 120'000;
// What was not acknowledged is told again after a minute at most.
constexpr int64_t kRestMs = 90'000;

struct Counter final : Observer {
  void Started(const std::string&, const model::LaunchTask&) override { ++starts; }
  int64_t starts = 0;
};

std::string WhoIsNotDone(Cluster& cluster) {
  std::string who;
  for (const auto& user : cluster.users()) {
    if (!user->done()) {
      absl::StrAppend(&who, " ", user->name, " knows the end of ", user->ended.size(), " of ",
                      user->tasks.size(), ";");
    }
  }
  return who;
}

// Conservation at rest, as each side has it: nothing is owned by nobody.
std::string LeftOver(Cluster& cluster) {
  MasterNode* leader = cluster.leader();
  if (leader == nullptr) return "L: nobody leads at the end";
  for (auto& node : cluster.agents()) {
    if (node->shims().living() > 0) {
      return absl::StrCat("H1: ", node->shims().living(), " tasks live on ", node->name(),
                          " though no framework is left");
    }
    if (!node->shims().RunDirectories().empty()) {
      return absl::StrCat("H1: ", node->shims().RunDirectories().size(),
                          " run directories are left on ", node->name(), ", one of attempt ",
                          node->shims().RunDirectories().front().ToString());
    }
    if (node->core() == nullptr) return absl::StrCat("A: ", node->name(), " is not up at the end");
    if (!node->core()->tasks().all().empty()) {
      return absl::StrCat("T9: ", node->name(), " still has ", node->core()->tasks().all().size(),
                          " tasks");
    }
    const model::AgentId& id = node->core()->identity().agent;
    const master::Agent* agent = leader->core()->world().agents.Find(id);
    if (agent == nullptr || agent->state != master::AgentState::kConnected) {
      return absl::StrCat("A: ", node->name(), " (", id.value(), ") is not connected at the end");
    }
    if (!(agent->free == agent->info.resources)) {
      return absl::StrCat("R2: ", node->name(), " has free ", agent->free.ToString(), " of ",
                          agent->info.resources.ToString());
    }
  }
  return "";
}

}  // namespace

Verdict Live(const Life& life, const Reader& reader) {
  Cluster cluster(life);
  World& world = cluster.world();
  world.ReadAlong(reader);
  auto counter = std::make_unique<Counter>();
  const Counter* counted = counter.get();
  cluster.observers().Add(std::move(counter));
  AddJudges(&cluster);

  const int64_t trouble_ms =
      life.trouble_ms > 0 ? life.trouble_ms : world.prng().Between(20'000, 60'000);
  const Time trouble_ends = world.now() + trouble_ms;
  Faults faults(&cluster, trouble_ends);
  simulation::BeginRun(life.seed, world.weather().Every(Fault::kMaybe) > 0);
  cluster.Start();
  faults.Begin();
  world.Run(trouble_ends, nullptr);
  simulation::EndRun();  // What is legal may still keep a cluster from ever being done.
  cluster.Heal();
  cluster.WatchForLost();
  cluster.observers().Show(&Observer::Healed);

  Verdict verdict;
  const auto fail = [&](Verdict::Kind kind, std::string sentence) {
    if (verdict.kind != Verdict::Kind::kOk || sentence.empty()) return;
    verdict.kind = kind;
    verdict.sentence = std::move(sentence);
  };
  const auto safe = [&] {
    if (!world.violations().empty()) fail(Verdict::Kind::kSafety, world.violations().front());
    return verdict.kind == Verdict::Kind::kOk;
  };
  if (!world.Run(world.now() + kDoneWithinMs, [&] { return cluster.AllDone(); }) && safe()) {
    fail(Verdict::Kind::kLiveness,
         absl::StrCat("not every task has ended:", WhoIsNotDone(cluster)));
  }
  if (safe()) {
    cluster.TearDown();
    if (!world.Run(world.now() + kGoneWithinMs, [&] { return cluster.AllTornDown(); }) && safe()) {
      fail(Verdict::Kind::kLiveness, "a framework did not end");
    }
  }
  if (safe()) {
    world.Run(world.now() + kRestMs, nullptr);
    cluster.observers().Show(&Observer::AtRest);
    if (safe()) fail(Verdict::Kind::kSafety, LeftOver(cluster));
  }
  verdict.fingerprint = world.trace_hash() ^ world.prng().Next();
  verdict.steps = world.steps();
  verdict.simulated_ms = world.now().ms;
  verdict.tasks = cluster.tasks();
  verdict.starts = counted->starts;
  verdict.faults = faults.counts();
  return verdict;
}

}  // namespace proffer::sim
