#include "chaos/fault_driver.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

namespace proffer::chaos {
namespace {

enum class Means { kKill, kFreeze, kNetwork, kWeather, kClock, kReset, kDisk };

Means MeansOf(FaultKind kind) {
  switch (kind) {
    case FaultKind::kKillMaster:
    case FaultKind::kKillLeader:
    case FaultKind::kKillAgent:
    case FaultKind::kKillLauncher:
    case FaultKind::kKillScheduler:
    case FaultKind::kKillZooKeeper:
    case FaultKind::kLoseQuorum:
      return Means::kKill;
    case FaultKind::kFreezeMaster:
    case FaultKind::kExpireSession:
    case FaultKind::kFreezeAgent:
    case FaultKind::kFreezeLauncher:
    case FaultKind::kFreezeScheduler:
    case FaultKind::kFreezeZooKeeper:
      return Means::kFreeze;
    case FaultKind::kPartition:
    case FaultKind::kOneWay:
    case FaultKind::kIsolateLeader:
    case FaultKind::kBlindLeader:
    case FaultKind::kRefuse:
    case FaultKind::kLoss:
      return Means::kNetwork;
    case FaultKind::kDelay:
    case FaultKind::kReorder:
      return Means::kWeather;
    case FaultKind::kClock:
      return Means::kClock;
    case FaultKind::kReset:
      return Means::kReset;
    case FaultKind::kFullDisk:
      return Means::kDisk;
  }
  return Means::kKill;
}

}  // namespace

FaultDriver::FaultDriver(std::vector<Fault> schedule, Cluster* cluster, Supervisor* supervisor)
    : waiting_(std::move(schedule)), cluster_(cluster), supervisor_(supervisor) {
  std::reverse(waiting_.begin(), waiting_.end());
}

bool FaultDriver::Tick(int64_t now_ms) {
  for (size_t i = 0; i < active_.size();) {
    if (active_[i].ends_ms > now_ms) {
      ++i;
      continue;
    }
    const Fault over = active_[i];
    active_.erase(active_.begin() + static_cast<std::ptrdiff_t>(i));
    End(over);
  }
  while (!waiting_.empty() && waiting_.back().begins_ms <= now_ms) {
    Fault fault = std::move(waiting_.back());
    waiting_.pop_back();
    Begin(&fault);
  }
  return !waiting_.empty() || !active_.empty();
}

void FaultDriver::Begin(Fault* fault) {
  if (fault->nodes == std::vector<std::string>{"leader"}) {
    fault->nodes[0] = cluster_->Leader();
    if (fault->nodes[0].empty()) {
      story_.push_back(Print(*fault) + ": nobody leads");
      return;
    }
  }
  story_.push_back(Print(*fault));
  ++done_[static_cast<size_t>(fault->kind)];
  const Means means = MeansOf(fault->kind);
  if (means == Means::kDisk) cluster_->FillDisk();
  for (const std::string& node : fault->nodes) {
    if (means == Means::kKill) supervisor_->Kill(node);
    if (means == Means::kFreeze) supervisor_->Freeze(node);
    if (means == Means::kReset && !cluster_->network().Reset(node)) {
      story_.back() += absl::StrCat(" (not all of ", node, ")");
    }
  }
  if (means == Means::kReset) return;
  active_.push_back(*fault);
  if (means == Means::kNetwork) SetNetwork();
  if (means == Means::kWeather) SetWeather();
  if (means == Means::kClock) SetClocks();
}

void FaultDriver::End(const Fault& fault) {
  const Means means = MeansOf(fault.kind);
  for (const std::string& node : fault.nodes) {
    if (means == Means::kKill) supervisor_->Restart(node);
    if (means == Means::kFreeze) supervisor_->Thaw(node);
  }
  if (means == Means::kNetwork) SetNetwork();
  if (means == Means::kWeather) SetWeather();
  if (means == Means::kClock) SetClocks();
  if (means == Means::kDisk) {
    // Another one may still want it full.
    const bool full = std::any_of(active_.begin(), active_.end(), [](const Fault& other) {
      return other.kind == FaultKind::kFullDisk;
    });
    if (!full) cluster_->EmptyDisk();
  }
}

void FaultDriver::Heal() {
  waiting_.clear();
  active_.clear();
  SetNetwork();
  SetWeather();
  SetClocks();
  cluster_->EmptyDisk();
  supervisor_->Heal();
}

void FaultDriver::SetNetwork() {
  std::map<std::string, std::vector<std::string>> rules;
  const Network& network = cluster_->network();
  for (const Fault& fault : active_) {
    if (MeansOf(fault.kind) != Means::kNetwork) continue;
    const std::set<std::string> inside(fault.nodes.begin(), fault.nodes.end());
    for (const std::string& node : AllNodes()) {
      if (fault.kind == FaultKind::kLoss || fault.kind == FaultKind::kRefuse) {
        if (inside.count(node) == 0) continue;
        rules[node].push_back(fault.kind == FaultKind::kLoss ? Network::Lose(fault.percent)
                                                             : Network::Refuse());
        continue;
      }
      for (const std::string& from : AllNodes()) {
        if (inside.count(node) == inside.count(from)) continue;
        if (fault.kind == FaultKind::kOneWay && inside.count(from) == 0) continue;
        const bool both_zookeeper = node[0] == 'z' || from[0] == 'z';
        if (fault.kind == FaultKind::kBlindLeader && !both_zookeeper) continue;
        rules[node].push_back(network.DropFrom(from));
      }
    }
  }
  cluster_->network().SetRules(rules);
}

void FaultDriver::SetWeather() {
  std::map<std::string, LinkWeather> weather;
  for (const Fault& fault : active_) {
    if (MeansOf(fault.kind) != Means::kWeather) continue;
    for (const std::string& node : fault.nodes) {
      LinkWeather& one = weather[node];
      int64_t& ms = fault.kind == FaultKind::kDelay ? one.delay_ms : one.spread_ms;
      ms = std::max(ms, fault.ms);
    }
  }
  cluster_->network().SetWeather(weather);
}

void FaultDriver::SetClocks() {
  std::map<std::string, int64_t> offsets_ms;
  for (const Fault& fault : active_) {
    if (MeansOf(fault.kind) != Means::kClock) continue;
    // Of several that met a clock the last one set it.
    for (const std::string& node : fault.nodes) offsets_ms[node] = fault.ms;
  }
  cluster_->clocks().Set(offsets_ms);
}

}  // namespace proffer::chaos
