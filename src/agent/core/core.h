// The agent's core: everything that an agent decides, and nothing that happens.
//
// Pure and single-threaded. The shell makes it from its configuration and the records that it read,
// calls Start once, then Step for every event and Tick at the end of every turn and when
// NextDeadline has come; it carries out the effects (effects.h) and does not touch them otherwise.
// Same configuration, records and events: same effects.
#pragma once

#include <vector>

#include "agent/core/config.h"
#include "agent/core/effects.h"
#include "agent/core/events.h"
#include "agent/core/ledger.h"
#include "agent/core/link.h"
#include "agent/core/recovery.h"
#include "agent/core/task_table.h"
#include "agent/core/tasks.h"
#include "agent/core/turn.h"
#include "common/base/time.h"

namespace proffer::agent {

class Core {
 public:
  Core(Config config, const std::vector<Record>& recovered);
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  void Start(Time now, Effects* effects);
  void Step(Time now, const Event& event, Effects* effects);
  void Tick(Time now, Effects* effects);
  Time NextDeadline() const;

  // --- For the shell's views and for tests ---
  const TaskTable& tasks() const { return table_; }
  const Ledger& ledger() const { return tasks_.ledger(); }
  const IdentityRecord& identity() const { return link_.identity(); }
  bool registered() const { return link_.state() == Link::State::kRegistered; }
  bool recovered() const { return recovery_.done(); }
  bool stopped() const { return link_.stopped(); }

 private:
  Turn BeginTurn(Time now, Effects* effects);
  void EndTurn(const Turn& turn);
  void Obey(const Turn& turn, const OrderReceived& event);
  void OnError(const Turn& turn, const model::AgentError& error);
  // Every container was looked for: the agent may speak.
  void OnRecovered(const Turn& turn);

  const Config config_;
  Journal journal_;
  int64_t wall_offset_ms_;
  TaskTable table_;
  Link link_;
  Tasks tasks_;
  Recovery recovery_;
  bool told_recovered_ = false;
  Time turn_began_;
  Time deadline_ = Time::Never();  // As of the end of the last step.
};

}  // namespace proffer::agent
