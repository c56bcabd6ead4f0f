// What goes wrong in a run, and when: a pure function of the seed.
//
// Nodes are network namespaces: z1..z3 ZooKeeper servers, m1..m3 masters, a1..a5 agents with their
// launchers, s1..s4 schedulers (s1 and s2 are replicas of one framework, s3 and s4 of another).
// Daemons have the names of their nodes; launchers are l1..l5. "leader" is whichever master leads
// when the fault begins.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace proffer::chaos {

enum class FaultKind {
  kKillMaster,
  kKillLeader,
  kKillAgent,
  kKillLauncher,
  kKillScheduler,
  kKillZooKeeper,
  kLoseQuorum,     // Two of three servers are killed.
  kFreezeMaster,   // SIGSTOP, as all that freeze.
  kExpireSession,  // The leader, for longer than its session lives.
  kFreezeAgent,    // Longer than until it is unreachable.
  kFreezeLauncher,
  kFreezeScheduler,
  kFreezeZooKeeper,
  kPartition,      // `nodes` and all others do not hear each other.
  kOneWay,         // `nodes` are not heard by the others, but hear them.
  kIsolateLeader,  // From everybody.
  kBlindLeader,    // From ZooKeeper alone.
  kReset,          // Every TCP connection of the nodes is destroyed, once.
  kRefuse,         // The nodes answer every packet with a reset.
  kLoss,           // The nodes lose `percent` of what is sent to them.
  kDelay,          // Each packet from and to the nodes takes `ms` longer.
  kReorder,        // Each takes up to `ms` longer, so that later ones overtake it.
  kClock,          // The nodes' wall clocks jump by `ms`, and jump back at the end.
  kFullDisk,       // Of agent a5's work directory.
};
inline constexpr int kFaultKinds = static_cast<int>(FaultKind::kFullDisk) + 1;

// "kill-master"
std::string Name(FaultKind kind);

struct Fault {
  FaultKind kind = FaultKind::kKillMaster;
  // Since the faults began. Who was killed is started again at the end.
  int64_t begins_ms = 0;
  int64_t ends_ms = 0;
  std::vector<std::string> nodes;  // Of launchers and "leader": the daemon's name.
  int percent = 0;
  int64_t ms = 0;

  friend bool operator==(const Fault&, const Fault&) = default;
};

std::string Print(const Fault& fault);

inline constexpr int kZooKeepers = 3;
inline constexpr int kMasters = 3;
inline constexpr int kAgents = 5;
inline constexpr int kSchedulers = 4;
// The agent whose disk can be filled.
inline constexpr char kFullDiskAgent[] = "a5";

std::vector<std::string> AllNodes();

// Ordered by their beginning; each ends within `length_ms`.
std::vector<Fault> MakeSchedule(uint64_t seed, int64_t length_ms);

}  // namespace proffer::chaos
