// Recognises what a status is about and whether it is news.
#include "sdk/core/task_table.h"

#include <algorithm>

#include "common/base/simulation.h"

namespace proffer::sdk {
namespace {

// Launches whose repetitions are recognised. An agent repeats only what was not acknowledged, so
// it takes as many ends in one broken stream to fool us.
constexpr size_t kEndedRemembered = 10'000;

}  // namespace

KnownTask* TaskTable::Find(const model::TaskId& id) {
  auto it = rows_.find(id);
  return it == rows_.end() ? nullptr : &it->second;
}

KnownTask& TaskTable::Add(const model::TaskId& id) {
  KnownTask& task = rows_[id];
  task.id = id;
  return task;
}

bool TaskTable::IsAbout(const model::TaskStatus& status, const KnownTask& task) const {
  if (!status.intent_id.empty() && !task.intent_id.empty()) {
    return status.intent_id == task.intent_id;
  }
  if (status.attempt.valid() && task.attempt.valid()) return status.attempt == task.attempt;
  // The picture of an earlier launch under the same id, given as an answer to a question.
  if (status.attempt.valid() && ended_attempts_.count(status.attempt) > 0) return false;
  return true;
}

bool TaskTable::HasEnded(const model::TaskStatus& status) const {
  if (status.attempt.valid()) return ended_attempts_.count(status.attempt) > 0;
  if (!status.intent_id.empty()) {
    return ended_intents_.count({status.task, status.intent_id}) > 0;
  }
  return ended_ids_.count(status.task) > 0;
}

TaskTable::Meaning TaskTable::Take(const model::TaskStatus& status) {
  Meaning meaning;
  meaning.final = IsFinal(status.state);
  KnownTask* task = Find(status.task);
  if (task == nullptr || !IsAbout(status, *task)) {
    if (HasEnded(status)) return {nullptr, true, false};
    if (task != nullptr || meaning.final) {
      REACHED("a status is about a launch that needs no row");
      // About a launch that has no row, and needs none.
      if (meaning.final) RememberEnded(status, nullptr);
      return meaning;
    }
    REACHED("a scheduler hears of a task that it does not know");
    task = &Add(status.task);
    task->intent_id = status.intent_id;
  }
  meaning.task = task;
  task->in_question = false;
  // An end that was not told yet is news whatever its number: an agent that lost the last of what
  // it had written counts from where it stands.
  const bool repeated = !meaning.final && status.sequence != 0 &&
                        status.sequence <= task->last_sequence && status.attempt == task->attempt;
  // An answer to a question that tells what the user knows.
  const bool known = status.sequence == 0 && status.reason == model::TaskReason::kReconciled &&
                     status.state == task->state;
  if (task->final_told && meaning.final) REACHED("a final word on a task comes again");
  if (task->final_told || repeated || known) {
    meaning.duplicate = true;
    meaning.final = false;
  } else {
    task->state = status.state;
    task->final_told = meaning.final;
  }
  if (!task->final_told || meaning.final) {
    if (status.attempt.valid()) task->attempt = status.attempt;
    if (!status.agent.empty()) task->agent = status.agent;
  }
  if (status.attempt == task->attempt) {
    task->last_sequence = std::max(task->last_sequence, status.sequence);
  }
  return meaning;
}

void TaskTable::RememberEnded(const model::TaskStatus& status, const KnownTask* task) {
  Ended ended{status.task, status.intent_id, status.attempt};
  if (task != nullptr) {
    if (ended.intent_id.empty()) ended.intent_id = task->intent_id;
    if (!ended.attempt.valid()) ended.attempt = task->attempt;
  }
  // An answer without attempt and intent names no launch: the next one may be about another.
  if (!ended.attempt.valid() && ended.intent_id.empty()) return;
  if (ended.attempt.valid()) ended_attempts_.insert(ended.attempt);
  if (!ended.intent_id.empty()) ended_intents_.insert({ended.task, ended.intent_id});
  ++ended_ids_[ended.task];
  ended_.push_back(std::move(ended));
  if (ended_.size() <= kEndedRemembered) return;
  const Ended& oldest = ended_.front();
  ended_attempts_.erase(oldest.attempt);
  ended_intents_.erase({oldest.task, oldest.intent_id});
  if (auto it = ended_ids_.find(oldest.task); --it->second == 0) ended_ids_.erase(it);
  ended_.pop_front();
}

bool TaskTable::Forget(const model::TaskStatus& status) {
  KnownTask* task = Find(status.task);
  if (task == nullptr || !task->final_told || !IsAbout(status, *task)) return false;
  RememberEnded(status, task);
  const bool in_store = task->in_store;
  rows_.erase(status.task);
  return in_store;
}

}  // namespace proffer::sdk
