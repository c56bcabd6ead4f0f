// The tasks of the agent: takes up launches and kills, hears of containers, and keeps ledger,
// records and statuses in step. It owns every attempt's state; nobody else changes one.
#pragma once

#include <cstdint>
#include <string>

#include "agent/core/contact_deadlines.h"
#include "agent/core/events.h"
#include "agent/core/ledger.h"
#include "agent/core/link.h"
#include "agent/core/status_updates.h"
#include "agent/core/task_machine.h"
#include "agent/core/task_table.h"
#include "agent/core/turn.h"
#include "common/model/agent_protocol.h"

namespace proffer::agent {

class Tasks {
 public:
  Tasks(const Config& config, TaskTable* table, const Link* link);

  // --- Orders of a welcomed master ---
  void Launch(const Turn& turn, const model::LaunchTask& order);
  void Kill(const Turn& turn, const model::KillTask& order);
  void Acknowledge(const Turn& turn, const model::AckUpdate& order);
  void Expect(const Turn& turn, const model::ExpectTasks& order);
  void EndFramework(const Turn& turn, const model::EndFramework& order);

  // --- Containers. Unknown attempts are ignored: they were forgotten meanwhile. ---
  void Started(const Turn& turn, const ContainerStarted& event);
  void Failed(const Turn& turn, const LaunchFailed& event);
  void Cancelled(const Turn& turn, const LaunchCancelled& event);
  void Ended(const Turn& turn, const ContainerEnded& event);
  void Lost(const Turn& turn, const ShimLost& event);
  // The answer to RecoverContainer that allows a launch.
  void NeverSpawned(const Turn& turn, const NoTrace& event);

  // --- Recovery ---
  void Adopt(Task task);  // Recovered from records.
  void Rebooted(const Turn& turn);

  void KillAll(const Turn& turn, model::TaskReason reason);
  // Forgets all, acknowledged or not. REQUIRES: all have ended.
  void ForgetAll(const Turn& turn);
  // Some may still live.
  bool any_live() const { return live_ > 0; }

  void Tick(const Turn& turn);
  Time NextDeadline() const;

  StatusUpdates& updates() { return updates_; }
  const Ledger& ledger() const { return ledger_; }

 private:
  StatusDetail Detail(const Turn& turn) const;
  Task* FindFor(const model::TaskKey& key, const model::AttemptId& attempt);
  void Refuse(const Turn& turn, const model::LaunchTask& order, model::TaskState state,
              model::TaskReason reason, std::string message);
  void KillOne(const Turn& turn, Task* task, model::TaskReason reason, int64_t grace_ms);
  void SendLaunch(const Turn& turn, const Task& task);
  int64_t GraceOf(const Task& task) const;
  // After a transition: saves, frees what an ended task had, sends.
  void Changed(const Turn& turn, Task* task, bool was_terminal);
  void Forget(const Turn& turn, const Task& task);

  const Config config_;
  TaskTable* const table_;
  const Link* const link_;
  Ledger ledger_;
  StatusUpdates updates_;
  ContactDeadlines contact_;
  int64_t live_ = 0;
};

}  // namespace proffer::agent
