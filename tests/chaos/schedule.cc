#include "chaos/schedule.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/base/prng.h"

namespace proffer::chaos {
namespace {

// A mean of one new fault in 1.1 s: several overlap, and most of the time somebody leads.
constexpr int64_t kShortestGapMs = 300;
constexpr int64_t kLongestGapMs = 1'900;

std::string One(const char* letter, int count, Prng* prng) {
  return absl::StrCat(letter, prng->Between(1, count));
}

// At least one, and not all.
std::vector<std::string> SomeNodes(Prng* prng) {
  std::vector<std::string> nodes = AllNodes();
  const auto count = static_cast<size_t>(prng->Between(1, 5));
  for (size_t i = 0; i < count; ++i) std::swap(nodes[i], nodes[i + prng->Below(nodes.size() - i)]);
  nodes.resize(count);
  std::sort(nodes.begin(), nodes.end());
  return nodes;
}

// Whom it meets, and how long it lasts.
int64_t Draw(Prng* prng, Fault* fault) {
  switch (fault->kind) {
    case FaultKind::kKillMaster:
      fault->nodes = {One("m", kMasters, prng)};
      return prng->Between(100, 4'000);
    case FaultKind::kKillLeader:
      fault->nodes = {"leader"};
      return prng->Between(100, 4'000);
    case FaultKind::kKillAgent:
      fault->nodes = {One("a", kAgents, prng)};
      return prng->Between(50, 8'000);  // At times until it is unreachable.
    case FaultKind::kKillLauncher:
      fault->nodes = {One("l", kAgents, prng)};
      return prng->Between(50, 3'000);
    case FaultKind::kKillScheduler:
      fault->nodes = {One("s", kSchedulers, prng)};
      return prng->Between(50, 4'000);
    case FaultKind::kKillZooKeeper:
      fault->nodes = {One("z", kZooKeepers, prng)};
      return prng->Between(100, 5'000);
    case FaultKind::kLoseQuorum: {
      const int64_t spared = prng->Between(1, kZooKeepers);
      for (int i = 1; i <= kZooKeepers; ++i) {
        if (i != spared) fault->nodes.push_back(absl::StrCat("z", i));
      }
      return prng->Between(1'000, 6'000);
    }
    case FaultKind::kFreezeMaster:
      fault->nodes = {One("m", kMasters, prng)};
      return prng->Between(200, 6'000);
    case FaultKind::kExpireSession:
      fault->nodes = {"leader"};
      return prng->Between(4'500, 8'000);
    case FaultKind::kFreezeAgent:
      fault->nodes = {One("a", kAgents, prng)};
      return prng->Between(500, 9'000);
    case FaultKind::kFreezeLauncher:
      fault->nodes = {One("l", kAgents, prng)};
      return prng->Between(500, 5'000);
    case FaultKind::kFreezeScheduler:
      fault->nodes = {One("s", kSchedulers, prng)};
      return prng->Between(3'000, 8'000);
    case FaultKind::kFreezeZooKeeper:
      fault->nodes = {One("z", kZooKeepers, prng)};
      return prng->Between(500, 6'000);
    case FaultKind::kPartition:
    case FaultKind::kOneWay:
      fault->nodes = SomeNodes(prng);
      return prng->Between(500, 8'000);
    case FaultKind::kIsolateLeader:
    case FaultKind::kBlindLeader:
      fault->nodes = {"leader"};
      return prng->Between(500, 8'000);
    case FaultKind::kReset:
      fault->nodes = SomeNodes(prng);
      return 0;
    case FaultKind::kRefuse:
      fault->nodes = SomeNodes(prng);
      return prng->Between(200, 3'000);
    case FaultKind::kLoss:
      fault->nodes = SomeNodes(prng);
      fault->percent = static_cast<int>(prng->Between(2, 30));
      return prng->Between(1'000, 8'000);
    case FaultKind::kDelay:
      fault->nodes = SomeNodes(prng);
      fault->ms = prng->Between(10, 400);  // Both ways: the slowest answer takes 0.8 s.
      return prng->Between(1'000, 8'000);
    case FaultKind::kReorder:
      fault->nodes = SomeNodes(prng);
      fault->ms = prng->Between(2, 100);
      return prng->Between(1'000, 8'000);
    case FaultKind::kClock: {
      // ZooKeeper's servers have the machine's.
      fault->nodes = SomeNodes(prng);
      std::erase_if(fault->nodes, [](const std::string& node) { return node[0] == 'z'; });
      if (fault->nodes.empty()) fault->nodes = {One("m", kMasters, prng)};
      // Seconds, minutes or hours; either way.
      static constexpr int64_t kUnitsMs[] = {1'000, 60'000, 3'600'000};
      fault->ms = prng->Between(1, 50) * kUnitsMs[prng->Below(3)] * (prng->Chance(1, 2) ? 1 : -1);
      return prng->Between(500, 10'000);
    }
    case FaultKind::kFullDisk:
      fault->nodes = {kFullDiskAgent};
      return prng->Between(500, 6'000);
  }
  return 0;
}

}  // namespace

std::string Name(FaultKind kind) {
  static constexpr std::array<const char*, kFaultKinds> kNames = {"kill-master",
                                                                  "kill-leader",
                                                                  "kill-agent",
                                                                  "kill-launcher",
                                                                  "kill-scheduler",
                                                                  "kill-zookeeper",
                                                                  "lose-quorum",
                                                                  "freeze-master",
                                                                  "expire-session",
                                                                  "freeze-agent",
                                                                  "freeze-launcher",
                                                                  "freeze-scheduler",
                                                                  "freeze-zookeeper",
                                                                  "partition",
                                                                  "one-way",
                                                                  "isolate-leader",
                                                                  "blind-leader",
                                                                  "reset",
                                                                  "refuse",
                                                                  "loss",
                                                                  "delay",
                                                                  "reorder",
                                                                  "clock",
                                                                  "full-disk"};
  return kNames[static_cast<size_t>(kind)];
}

std::string Print(const Fault& fault) {
  std::string text =
      absl::StrFormat("%.3f-%.3f s %s %s", fault.begins_ms / 1e3, fault.ends_ms / 1e3,
                      Name(fault.kind), absl::StrJoin(fault.nodes, ","));
  if (fault.percent > 0) absl::StrAppend(&text, " ", fault.percent, "%");
  if (fault.ms != 0) absl::StrAppend(&text, " ", fault.ms, " ms");
  return text;
}

std::vector<std::string> AllNodes() {
  std::vector<std::string> nodes;
  for (int i = 1; i <= kZooKeepers; ++i) nodes.push_back(absl::StrCat("z", i));
  for (int i = 1; i <= kMasters; ++i) nodes.push_back(absl::StrCat("m", i));
  for (int i = 1; i <= kAgents; ++i) nodes.push_back(absl::StrCat("a", i));
  for (int i = 1; i <= kSchedulers; ++i) nodes.push_back(absl::StrCat("s", i));
  return nodes;
}

std::vector<Fault> MakeSchedule(uint64_t seed, int64_t length_ms) {
  Prng prng(seed);
  std::vector<Fault> schedule;
  int64_t now_ms = 0;
  while (true) {
    now_ms += prng.Between(kShortestGapMs, kLongestGapMs);
    if (now_ms >= length_ms) return schedule;
    Fault fault;
    fault.kind = static_cast<FaultKind>(prng.Below(kFaultKinds));
    fault.begins_ms = now_ms;
    fault.ends_ms = std::min(now_ms + Draw(&prng, &fault), length_ms);
    schedule.push_back(std::move(fault));
  }
}

}  // namespace proffer::chaos
