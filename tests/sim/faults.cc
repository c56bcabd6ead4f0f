#include "sim/faults.h"

#include <memory>
#include <utility>
#include <vector>

namespace proffer::sim {
namespace {

// A step is one effect of a process: a write, a message, an order to a container.
constexpr int kMostSteps = 12;

template <typename Node>
Node& AnyOf(std::vector<std::unique_ptr<Node>>& nodes, Prng& prng) {
  return *nodes[prng.Below(nodes.size())];
}

}  // namespace

MasterNode& Faults::AnyMaster() {
  MasterNode* leader = cluster_->leader();
  Prng& prng = cluster_->world().prng();
  return leader != nullptr && prng.Chance(3, 4) ? *leader : AnyOf(cluster_->masters(), prng);
}
AgentNode& Faults::AnyAgent() { return AnyOf(cluster_->agents(), cluster_->world().prng()); }
FrameworkNode& Faults::AnyFramework() {
  return AnyOf(cluster_->frameworks(), cluster_->world().prng());
}

std::pair<Host, Host> Faults::AnyLink() {
  Prng& prng = cluster_->world().prng();
  const Host master = AnyMaster().host();
  switch (prng.Below(4)) {
    case 0:
      return {master, cluster_->ensemble().host()};
    case 1:
      return {master, AnyFramework().host()};
    default:
      return {master, AnyAgent().host()};
  }
}

void Faults::Every(Fault fault, std::function<void()> what) {
  World& world = cluster_->world();
  const int64_t every_ms = world.weather().Every(fault);
  if (every_ms == 0) return;
  world.After(world.prng().Between(1, 2 * every_ms), [this, fault, what = std::move(what)] {
    World& later = cluster_->world();
    if (later.now() >= until_) return;
    ++counts_[static_cast<int>(fault)];
    later.Trace("fault", std::string(FaultName(fault)));
    what();
    Every(fault, what);
  });
}

int64_t Faults::total() const {
  int64_t total = 0;
  for (const int64_t count : counts_) total += count;
  return total;
}

void Faults::Begin() {
  // What is a property of the world happens by being there.
  const Weather& weather = cluster_->world().weather();
  for (const Fault fault :
       {Fault::kLaunchFails, Fault::kOutOfMemory, Fault::kHangsOnKill, Fault::kClockDrift,
        Fault::kHoarder, Fault::kNeverAcknowledges, Fault::kRefusesAll, Fault::kReconnectLoop,
        Fault::kGarbage, Fault::kMaybe}) {
    if (weather.Every(fault) > 0) ++counts_[static_cast<int>(fault)];
  }
  OfNetwork();
  OfMasters();
  OfAgents();
  OfFrameworks();
}

void Faults::OfNetwork() {
  World& world = cluster_->world();
  Network& network = cluster_->network();
  Prng& prng = world.prng();
  const auto reset = [&network] {
    if (const std::shared_ptr<Wire> wire = network.Any()) wire->Reset();
  };
  const auto cut = [&world, &network](Host from, Host to, int64_t ms) {
    network.Cut(from, to);
    world.After(ms, [&network, from, to] { network.Heal(from, to); });
  };
  Every(Fault::kStreamReset, reset);
  Every(Fault::kHalfOpen, [&network] {
    if (const std::shared_ptr<Wire> wire = network.Any()) wire->GoHalfOpen();
  });
  Every(Fault::kPartition, [this, cut, &prng] {
    const auto [one, other] = AnyLink();
    const int64_t ms = prng.Between(100, 40'000);
    cut(one, other, ms);
    cut(other, one, ms);
  });
  Every(Fault::kOneWayPartition, [this, cut, &prng] {
    auto [from, to] = AnyLink();
    if (prng.Chance(1, 2)) std::swap(from, to);
    cut(from, to, prng.Between(100, 40'000));
  });
  // Links of a random subset stop one by one and come back in another order.
  Every(Fault::kSwizzleClog, [this, cut, &world, &prng] {
    const int64_t links = prng.Between(2, 6);
    for (int64_t i = 0; i < links; ++i) {
      const auto [one, other] = AnyLink();
      world.After(prng.Between(0, 5'000), [cut, one = one, other = other, &prng] {
        const int64_t ms = prng.Between(1'000, 20'000);
        cut(one, other, ms);
        cut(other, one, ms);
      });
    }
  });
  // The leader loses most of its agents at once.
  Every(Fault::kMassPartition, [this, cut, &prng] {
    const Host master = AnyMaster().host();
    const int64_t ms = prng.Between(5'000, 40'000);
    for (const auto& agent : cluster_->agents()) {
      if (prng.Chance(1, 8)) continue;
      cut(agent->host(), master, ms);
      cut(master, agent->host(), ms);
    }
  });
  Every(Fault::kLatencyStorm, [&world, &prng, until = until_] {
    Weather& weather = world.weather();
    const int64_t usual = weather.latency_max_ms;
    weather.latency_max_ms = prng.Between(500, 6'000);
    world.After(prng.Between(500, 5'000), [&world, usual, until] {
      if (world.now() < until) world.weather().latency_max_ms = usual;
    });
  });
  Every(Fault::kWallClockSet,
        [&world, &prng] { world.SetWallClock(prng.Between(-3'600'000, 3'600'000)); });
}

void Faults::OfMasters() {
  Prng& prng = cluster_->world().prng();
  Ensemble& ensemble = cluster_->ensemble();
  Every(Fault::kMasterCrash, [this] { AnyMaster().Crash(); });
  Every(Fault::kMasterCrashAtStep,
        [this, &prng] { AnyMaster().CrashAtStep(static_cast<int>(prng.Between(1, kMostSteps))); });
  Every(Fault::kMasterPause, [this, &prng] { AnyMaster().Pause(prng.Between(100, 40'000)); });
  Every(Fault::kLeaderFlap, [&ensemble] { ensemble.Flap(); });
  Every(Fault::kStoreSlow, [&ensemble, &prng] { ensemble.SlowDown(prng.Between(500, 10'000)); });
  Every(Fault::kStoreFails, [&ensemble] { ensemble.FailNextWrite(); });
  Every(Fault::kStoreSilent, [&ensemble] { ensemble.SilenceNextWrite(); });
  Every(Fault::kRegistryWiped, [this, &prng] {
    cluster_->WipeRegistry();
    cluster_->world().After(prng.Between(2'000, 30'000), [this] { cluster_->RestoreRegistry(); });
  });
  Every(Fault::kStoreGone, [&ensemble, &prng] { ensemble.GoAway(prng.Between(500, 30'000)); });
}

void Faults::OfAgents() {
  Prng& prng = cluster_->world().prng();
  Every(Fault::kAgentCrash, [this] { AnyAgent().Crash(); });
  Every(Fault::kAgentCrashAtStep,
        [this, &prng] { AnyAgent().CrashAtStep(static_cast<int>(prng.Between(1, kMostSteps))); });
  Every(Fault::kAgentPause, [this, &prng] { AnyAgent().Pause(prng.Between(100, 40'000)); });
  Every(Fault::kAgentDiskSlow,
        [this, &prng] { AnyAgent().disk().SlowDown(prng.Between(500, 10'000)); });
  Every(Fault::kAgentDiskFails, [this] { AnyAgent().disk().FailNextWrite(); });
  Every(Fault::kAgentPowerCut, [this] { AnyAgent().PowerCut(); });
  Every(Fault::kAgentReboot, [this] { AnyAgent().Reboot(); });
  Every(Fault::kAgentReimaged, [this] { AnyAgent().Reimage(); });
  Every(Fault::kAgentResized, [this] {
    AgentNode& agent = AnyAgent();
    agent.Resize(cluster_->DrawResources());
    agent.Crash();
  });
  Every(Fault::kAgentMarkedGone, [this] {
    MasterNode* leader = cluster_->leader();
    const agent::Core* core = AnyAgent().core();
    if (leader == nullptr || core == nullptr || core->identity().agent.empty()) return;
    leader->Ask({0, master::MarkGoneAsked{core->identity().agent}});
    // Operators mistype.
    leader->Ask({0, master::MarkGoneAsked{model::AgentId(core->identity().agent.value() + "x")}});
  });
  Every(Fault::kLauncherDown, [this, &prng] {
    AnyAgent().shims().KillLauncher(prng.Between(10, prng.Chance(1, 5) ? 40'000 : 3'000));
  });
  Every(Fault::kShimKilled, [this] { AnyAgent().shims().KillOneShim(); });
  Every(Fault::kRunDirectoryLost, [this] { AnyAgent().LoseRunDirectory(); });
}

void Faults::OfFrameworks() {
  Prng& prng = cluster_->world().prng();
  Every(Fault::kFrameworkCrash, [this] { AnyFramework().Crash(); });
  Every(Fault::kFrameworkCrashAtStep, [this, &prng] {
    AnyFramework().CrashAtStep(static_cast<int>(prng.Between(1, kMostSteps)));
  });
  Every(Fault::kFrameworkPause, [this, &prng] { AnyFramework().Pause(prng.Between(100, 40'000)); });
  Every(Fault::kFrameworkTakenOver, [this, &prng] {
    User* user = cluster_->users()[prng.Below(cluster_->users().size())].get();
    cluster_->AddReplica(user);
    cluster_->frameworks().back()->Start();
  });
  Every(Fault::kFrameworkAway,
        [this, &prng] { AnyFramework().Crash(prng.Between(1'000, 60'000)); });
  Every(Fault::kUserKills, [this] { AnyFramework().KillOne(); });
}

}  // namespace proffer::sim
