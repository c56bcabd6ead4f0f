// Asks the master about every task after each subscription, until all is known: first by name,
// again and again for what a new leader cannot know yet, then once for strangers.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "common/base/prng.h"
#include "common/base/time.h"
#include "common/model/scheduler_protocol.h"
#include "sdk/core/task_table.h"

namespace proffer::sdk {

class Reconciler {
 public:
  Reconciler(int64_t min_ms, int64_t max_ms) : min_ms_(min_ms), max_ms_(max_ms) {}

  // A new stream has subscribed: every task of the table that has not ended is in question.
  void Begin(Time now, const TaskTable& tasks);
  // An agent came back that may have been called unreachable: its tasks are in question again.
  void AskAbout(Time now, const TaskTable& tasks, const model::AgentId& agent);
  // The stream is gone.
  void Reset();
  // The questions that are due. Each is followed by Asked.
  std::vector<model::Reconcile> TakeDue(Time now, const TaskTable& tasks);
  void Asked(uint64_t call_id, const model::Reconcile& question);
  // The question that call put, or null.
  const model::Reconcile* Question(uint64_t call_id) const;
  // Takes in an answer to a question of its own; false if it is another's.
  bool Answered(Time now, const model::CallResult& result, Prng* prng);
  // True once after everything was answered.
  bool TakeDone() { return std::exchange(just_done_, false); }
  Time NextDeadline() const { return due_; }

 private:
  enum class Phase { kIdle, kByName, kStrangers };

  void Continue(Time now, Prng* prng);

  const int64_t min_ms_;
  const int64_t max_ms_;
  Phase phase_ = Phase::kIdle;
  bool just_done_ = false;
  int rounds_ = 0;  // That ended with "not known yet", in a row.
  Time due_ = Time::Never();
  std::map<model::TaskId, model::AgentId> to_ask_;
  bool ask_strangers_again_ = false;
  std::map<uint64_t, model::Reconcile> open_;  // By call id.
};

}  // namespace proffer::sdk
