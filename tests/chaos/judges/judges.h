// Those who judge a run by the histories that were written during it. Each is a function of records
// and says what it saw that must never be, a sentence each; the words in front of a sentence are
// those of the invariants in docs/testing.md.
//
// The simulator's judges (tests/sim/judges) watch every message of a simulated world as it passes
// and know its true state at any moment; of real processes there is only what was written down, so
// that they cannot be used here. The invariants, and their names, are the same.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "chaos/history.h"

namespace proffer::chaos {

using Violations = std::vector<std::string>;

// T1: no attempt starts twice, and no task is run again after it ran; T3, T5: what is told of an
// end is what the task itself did; T4: RUNNING is told of what was started; T2, T7: whatever was
// submitted ends, and every end of a task is told.
// REQUIRES: of a run that came to its end: nothing is on its way any more.
Violations JudgeTasks(const std::vector<WitnessLine>& witness,
                      const std::vector<ClientLine>& clients);

// T6: the last word on a task is the last, and the same to whoever hears it; F1: a replica that
// stops says and hears nothing more, and stops for no other reason than that another took over;
// one remains.
Violations JudgeClients(const std::vector<ClientLine>& clients);

// A master that says it leads.
struct Leadership {
  int64_t at_ms = 0;  // When it was seen to say so.
  std::string master;
  uint64_t epoch = 0;
};
// From a part of a master's log; at no time yet.
std::vector<Leadership> ParseLeaderships(const std::string& master, const std::string& log);

// One write to the registry, as ZooKeeper has it. Ordered by their zxids.
struct RegistryWrite {
  uint64_t zxid = 0;
  std::string key;      // "epoch", "agent/…"
  std::string session;  // Of the master that wrote.
  // Of /registry after that: each transaction of a master counts it up by one. 0: it does not.
  int version = 0;
  friend bool operator==(const RegistryWrite&, const RegistryWrite&) = default;
};
// From the output of ZooKeeper's TxnLogToolkit.
std::vector<RegistryWrite> ParseTransactions(const std::string& text);
// All that the servers have written down, each transaction once. A server that was away may have
// got some of it as a snapshot, and what was never committed is cut off when it comes back.
std::vector<RegistryWrite> MergeTransactions(const std::vector<std::vector<RegistryWrite>>& logs);

// L1: no epoch has two leaders, and a later leader has a higher epoch. In ZooKeeper's own order
// each write is that of the session which raised the epoch last, and each epoch that a leader named
// was raised there. `leaderships` are in their order.
Violations JudgeEpochs(const std::vector<Leadership>& leaderships,
                       const std::vector<RegistryWrite>& writes);

// What ZooKeeper itself has forgotten, a sentence; "" if nothing: two transactions that both made
// the same version of the registry. It makes a version once, so the first was taken back; and when
// that had been acknowledged, two masters may be right in what they say of one epoch. Servers
// of 3.8 do so when they are killed while they join (ZOOKEEPER-4643, ZOOKEEPER-4646,
// ZOOKEEPER-4785).
std::string ForgottenByZooKeeper(const std::vector<RegistryWrite>& writes);

// How long it took after the last fault.
struct Recovery {
  int64_t leader_ms = 0;   // Until a master answered as the leader.
  int64_t agents_ms = 0;   // Until all agents were connected to it.
  int64_t updates_ms = 0;  // Until every end that was there by then was told.
};
// Of ends that the witness saw before `healed_ms`: when the last was told, counted from then.
int64_t UpdatesDelivered(const std::vector<WitnessLine>& witness,
                         const std::vector<ClientLine>& clients, int64_t healed_ms);

// What one process holds of the machine.
struct Holdings {
  int files = 0;  // Descriptors of whatever is no socket.
  int sockets = 0;
  int threads = 0;
  int mounts = 0;  // Of its mount namespace.
};
// H2: when everything has ended, each of those who were there before the first task, by name, holds
// no more than it did then.
Violations JudgeHoldings(const std::map<std::string, Holdings>& before,
                         const std::map<std::string, Holdings>& after);

}  // namespace proffer::chaos
