// Launches, kills and ends.
#include "agent/core/tasks.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/simulation.h"
#include "glog/logging.h"

namespace proffer::agent {

using model::TaskReason;
using model::TaskState;

Tasks::Tasks(const Config& config, TaskTable* table, const Link* link)
    : config_(config),
      table_(table),
      link_(link),
      ledger_(config.info.resources),
      updates_(table, config.most_updates_in_flight) {}

StatusDetail Tasks::Detail(const Turn& turn) const {
  return {link_->identity().agent, turn.UnixNowMs()};
}

Task* Tasks::FindFor(const model::TaskKey& key, const model::AttemptId& attempt) {
  Task* task = table_->Find(attempt);
  return task != nullptr && task->key() == key ? task : nullptr;
}

int64_t Tasks::GraceOf(const Task& task) const {
  const int64_t asked = task.launch->task.kill_grace_ms;
  return asked > 0 ? std::min(asked, limits::kKillGraceMaxMs) : config_.kill_grace_ms;
}

void Tasks::Changed(const Turn& turn, Task* task, bool was_terminal) {
  task->record_seq = turn.Write(ProgressRecord{task->attempt(), task->progress});
  const int64_t stop_after_ms = task->launch->task.stop_after_disconnect_ms;
  if (task->being_killed() || task->terminal()) contact_.Remove(task->attempt(), stop_after_ms);
  if (task->terminal() && !was_terminal) {
    ledger_.Return(task->launch->task.resources);
    --live_;
  }
  updates_.Added(turn, *task);
}

void Tasks::SendLaunch(const Turn& turn, const Task& task) {
  const uint64_t after_seq = MUTANT("launch-before-checkpoint") ? 0 : task.record_seq;
  turn.Command(after_seq, LaunchContainer{task.launch, link_->identity().agent});
}

void Tasks::Launch(const Turn& turn, const model::LaunchTask& order) {
  if (table_->Find(order.attempt) != nullptr || table_->HasTombstone(order.attempt)) {
    REACHED("a launch comes a second time");
    return;
  }
  const IdentityRecord& identity = link_->identity();
  // A master launches only attempts of its own. One of a former epoch may have ended and been
  // forgotten, so it gets no answer; if the master still expects it, ExpectTasks gives one.
  if (order.attempt.epoch != identity.highest_epoch) return;
  for (const absl::Status& valid : {model::ValidateId("framework id", order.framework.value()),
                                    model::ValidateId("task id", order.task.id.value())}) {
    if (valid.ok()) continue;
    return Refuse(turn, order, TaskState::kError, TaskReason::kInvalidTask,
                  std::string(valid.message()));
  }
  if (order.resources_generation != identity.resources_generation ||
      MAYBE("take a launch for one decided on other resources")) {
    REACHED("a launch is dropped because the agent's resources changed");
    return Refuse(turn, order, TaskState::kDropped, TaskReason::kStaleResources,
                  absl::StrCat("decided on generation ", order.resources_generation,
                               " of the agent's resources; they are at generation ",
                               identity.resources_generation));
  }
  if (!ledger_.Fits(order.task.resources) || MAYBE("find that a launch does not fit")) {
    REACHED("a launch is dropped because it does not fit");
    return Refuse(turn, order, TaskState::kDropped, TaskReason::kInvalidOffer,
                  absl::StrCat("needs ", order.task.resources.ToString(), "; the agent has ",
                               ledger_.free().ToString(), " free"));
  }
  Task task;
  task.launch = std::make_shared<const model::LaunchTask>(order);
  task.record_seq = turn.Write(TaskRecord{order, task.progress});
  Adopt(std::move(task));
  SendLaunch(turn, *table_->Find(order.attempt));
  if (MUTANT("running-before-started")) Started(turn, {order.attempt, 0});
}

void Tasks::Refuse(const Turn& turn, const model::LaunchTask& order, TaskState state,
                   TaskReason reason, std::string message) {
  if (MUTANT("launch-dropped-silently")) return;
  model::LaunchTask slim = order;
  slim.task.payload = nullptr;
  Task task;
  task.launch = std::make_shared<const model::LaunchTask>(std::move(slim));
  OnRefused(&task, Detail(turn), state, reason, std::move(message));
  task.record_seq = turn.Write(TaskRecord{*task.launch, task.progress});
  updates_.Added(turn, *table_->Insert(std::move(task)));
}

void Tasks::Adopt(Task task) {
  const Task* known = table_->Insert(std::move(task));
  if (known->terminal()) return;
  ++live_;
  ledger_.Take(known->launch->task.resources);
  if (!known->being_killed()) {
    contact_.Add(known->attempt(), known->launch->task.stop_after_disconnect_ms);
  }
}

void Tasks::Rebooted(const Turn& turn) {
  for (const auto& [attempt, unused] : table_->all()) {
    Task* task = table_->Find(attempt);
    if (OnRebooted(task, Detail(turn))) Changed(turn, task, false);
  }
}

void Tasks::Kill(const Turn& turn, const model::KillTask& order) {
  std::vector<model::AttemptId> attempts = {order.attempt};
  if (!order.attempt.valid()) attempts = table_->OfFramework(order.key.framework);
  for (const model::AttemptId& attempt : attempts) {
    Task* task = FindFor(order.key, attempt);
    if (task == nullptr) {
      REACHED("a kill comes for a task that the agent does not have");
      continue;
    }
    int64_t grace_ms = GraceOf(*task);
    if (order.grace_ms.has_value()) {
      grace_ms = std::min(grace_ms, std::max<int64_t>(0, *order.grace_ms));
    }
    KillOne(turn, task, TaskReason::kKillRequested, grace_ms);
  }
}

void Tasks::KillOne(const Turn& turn, Task* task, TaskReason reason, int64_t grace_ms) {
  if (SIMULATED && task->terminal()) REACHED("a kill comes for a task that has ended on its agent");
  if (task->terminal() && !MUTANT("terminal-not-final")) return;
  if (!task->progress.started) REACHED("a kill comes before its task has started");
  if (OnKill(task, Detail(turn), reason, grace_ms)) {
    Changed(turn, task, false);
  } else if (turn.now + grace_ms >= task->kill_deadline) {
    return;  // It is being killed as fast already.
  } else {
    REACHED("a kill is made faster");
  }
  task->kill_deadline = std::min(task->kill_deadline, turn.now + grace_ms);
  if (!task->progress.started && MUTANT("kill-while-pending-forgotten")) return;
  turn.Command(task->record_seq, KillContainer{task->attempt(), grace_ms});
  if (MAYBE("kill a container twice")) {
    turn.Command(task->record_seq, KillContainer{task->attempt(), grace_ms});
  }
}

void Tasks::KillAll(const Turn& turn, TaskReason reason) {
  for (const auto& [attempt, unused] : table_->all()) {
    Task* task = table_->Find(attempt);
    KillOne(turn, task, reason, GraceOf(*task));
  }
}

void Tasks::EndFramework(const Turn& turn, const model::EndFramework& order) {
  for (const model::AttemptId& attempt : table_->OfFramework(order.framework)) {
    REACHED("an agent ends a task because its framework is no more");
    Task* task = table_->Find(attempt);
    KillOne(turn, task, TaskReason::kFrameworkRemoved, GraceOf(*task));
  }
}

void Tasks::Expect(const Turn& turn, const model::ExpectTasks& order) {
  for (const model::ExpectTasks::Task& expected : order.tasks) {
    if (!expected.attempt.valid() || table_->Find(expected.attempt) != nullptr) continue;
    model::LaunchTask absent;
    absent.framework = expected.key.framework;
    absent.attempt = expected.attempt;
    absent.task.id = expected.key.task;
    absent.task.intent_id = expected.intent_id;
    if (table_->HasTombstone(expected.attempt)) {
      Refuse(turn, absent, TaskState::kGone, TaskReason::kAgentLostIt,
             "it has ended, its end was acknowledged, and the agent has forgotten how it ended");
      continue;
    }
    REACHED("an agent says that a launch never arrived");
    Refuse(turn, absent, TaskState::kDropped, TaskReason::kAgentLostIt,
           "the launch never arrived at the agent");
  }
}

void Tasks::Acknowledge(const Turn& turn, const model::AckUpdate& order) {
  Task* task = FindFor(order.key, order.attempt);
  if (task == nullptr) {
    REACHED("an acknowledgement comes for a task that its agent has forgotten");
    return;
  }
  std::vector<model::TaskStatus>& waiting = task->progress.unacknowledged;
  if (waiting.empty()) return;
  if (waiting.front().sequence != order.sequence && !MUTANT("forget-on-any-ack")) {
    REACHED("an acknowledgement comes a second time");
    return;
  }
  waiting.erase(waiting.begin());
  const bool over = task->terminal() && waiting.empty();
  if (!over) task->record_seq = turn.Write(ProgressRecord{task->attempt(), task->progress});
  updates_.Acknowledged(turn, *task);
  if (over) Forget(turn, *task);
}

void Tasks::Forget(const Turn& turn, const Task& task) {
  const ForgetContainer command{task.key(), task.attempt()};
  table_->Forget(turn, command.attempt);
  turn.Command(turn.journal->last_seq, command);
}

void Tasks::ForgetAll(const Turn& turn) {
  CHECK_EQ(live_, 0);
  while (!table_->all().empty()) Forget(turn, table_->all().begin()->second);
}

void Tasks::Started(const Turn& turn, const ContainerStarted& event) {
  Task* task = table_->Find(event.attempt);
  if (task == nullptr) return;
  if (SIMULATED && task->progress.started && !task->terminal()) {
    REACHED("recovery finds a task that runs");
  }
  if (OnStarted(task, Detail(turn), event.pid)) Changed(turn, task, task->terminal());
  // A kill of a former life of the agent may not have reached the container.
  if (task->being_killed() && !task->terminal() && task->kill_deadline.IsNever()) {
    REACHED("recovery repeats a kill of a former life");
    task->kill_deadline = turn.now + task->progress.kill_grace_ms;
    turn.Command(task->record_seq, KillContainer{event.attempt, task->progress.kill_grace_ms});
  }
}

void Tasks::Failed(const Turn& turn, const LaunchFailed& event) {
  Task* task = table_->Find(event.attempt);
  if (task != nullptr && OnLaunchFailed(task, Detail(turn), event.message)) {
    Changed(turn, task, false);
  }
}

void Tasks::Cancelled(const Turn& turn, const LaunchCancelled& event) {
  Task* task = table_->Find(event.attempt);
  if (task == nullptr || !OnLaunchCancelled(task, Detail(turn))) return;
  REACHED("a kill overtakes a launch");
  Changed(turn, task, false);
}

void Tasks::Ended(const Turn& turn, const ContainerEnded& event) {
  Task* task = table_->Find(event.attempt);
  if (task == nullptr) return;
  if (!task->progress.started) REACHED("a task ends of which the start was not heard");
  if (OnEnded(task, Detail(turn), event)) Changed(turn, task, false);
}

void Tasks::Lost(const Turn& turn, const ShimLost& event) {
  Task* task = table_->Find(event.attempt);
  if (task == nullptr || !OnShimLost(task, Detail(turn))) return;
  REACHED("a task loses its shim");
  Changed(turn, task, false);
}

void Tasks::NeverSpawned(const Turn& turn, const NoTrace& event) {
  Task* task = table_->Find(event.attempt);
  if (task == nullptr || task->terminal()) return;
  if (task->progress.started) {
    REACHED("recovery finds no trace of a task that ran");
    // It ran, and what it left behind is gone.
    Lost(turn, ShimLost{event.attempt});
  } else if (task->being_killed()) {
    REACHED("recovery finds a task that was killed before it was started");
    Cancelled(turn, LaunchCancelled{event.attempt});
  } else {
    REACHED("recovery starts what was never started");
    SendLaunch(turn, *task);
  }
}

void Tasks::Tick(const Turn& turn) {
  while (contact_.Next(link_->last_contact(), link_->ping_ms()) <= turn.now) {
    REACHED("a task is stopped because its master was silent for too long");
    Task* task = table_->Find(contact_.first());
    KillOne(turn, task, TaskReason::kDisconnectedTooLong, GraceOf(*task));
  }
  updates_.Tick(turn);
}

Time Tasks::NextDeadline() const {
  return std::min(contact_.Next(link_->last_contact(), link_->ping_ms()), updates_.NextDeadline());
}

}  // namespace proffer::agent
