// The transitions of one attempt.
#include "agent/core/task_machine.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/simulation.h"
#include "common/base/utf8.h"

namespace proffer::agent {
namespace {

using model::TaskReason;
using model::TaskState;

model::TaskStatus& Append(Task* task, const StatusDetail& detail, TaskState state,
                          TaskReason reason, std::string message) {
  CutUtf8(limits::kMessageTextBytes, &message);
  Progress& progress = task->progress;
  progress.state = state;
  progress.reason = reason;
  progress.message = message;
  model::TaskStatus status;
  status.task = task->launch->task.id;
  status.attempt = task->attempt();
  status.agent = detail.agent;
  status.state = state;
  status.reason = reason;
  status.message = std::move(message);
  status.source = model::StatusSource::kAgent;
  status.sequence = ++progress.last_sequence;
  status.time_unix_ms = detail.unix_ms;
  status.intent_id = task->launch->task.intent_id;
  progress.unacknowledged.push_back(std::move(status));
  if (model::IsTerminal(state)) task->pid = 0;
  return progress.unacknowledged.back();
}

std::string KillSentence(TaskReason reason) {
  switch (reason) {
    case TaskReason::kFrameworkRemoved:
      return "killed because its framework was removed";
    case TaskReason::kDisconnectedTooLong:
      return "killed because it was cut off from the leading master for longer than its "
             "stop_after_disconnect_ms";
    case TaskReason::kAgentDeclaredGone:
      return "killed because its agent was declared gone";
    default:
      return "killed on request";
  }
}

// Rounded: people compare it with what they asked for.
std::string Mebibytes(uint64_t bytes) { return absl::StrCat((bytes + (1 << 19)) >> 20, "MiB"); }

std::string HowItEnded(const ContainerEnded& end) {
  if (end.signal.has_value()) return SignalSentence(*end.signal);
  return absl::StrCat("exited with code ", end.exit_code.value_or(0));
}

}  // namespace

std::string SignalSentence(int32_t signal) {
  const char* name = sigabbrev_np(signal);
  if (name == nullptr) return absl::StrCat("ended by signal ", signal);
  return absl::StrCat("ended by signal ", signal, " (SIG", name, ")");
}

bool OnStarted(Task* task, const StatusDetail& detail, int64_t pid) {
  if (task->terminal()) return false;
  task->pid = pid;
  if (task->progress.started) return false;
  task->progress.started = true;
  // The payload is needed no more; it may be large.
  auto slim = std::make_shared<model::LaunchTask>(*task->launch);
  slim->task.payload = nullptr;
  task->launch = std::move(slim);
  if (task->being_killed()) {
    REACHED("a task starts that is being killed");
    return true;
  }
  Append(task, detail, TaskState::kRunning, TaskReason::kNone, "");
  return true;
}

bool OnLaunchFailed(Task* task, const StatusDetail& detail, const std::string& message) {
  if (task->terminal()) return false;
  if (task->being_killed()) {
    REACHED("a launch fails whose task is being killed");
    return OnLaunchCancelled(task, detail);
  }
  Append(task, detail, TaskState::kFailed, TaskReason::kLaunchFailed, message);
  return true;
}

bool OnLaunchCancelled(Task* task, const StatusDetail& detail) {
  if (task->terminal()) return false;
  const TaskReason reason =
      task->being_killed() ? task->progress.kill_reason : TaskReason::kKillRequested;
  Append(task, detail, TaskState::kKilled, reason,
         absl::StrCat(KillSentence(reason), "; it had not been started"));
  return true;
}

bool OnEnded(Task* task, const StatusDetail& detail, const ContainerEnded& end) {
  if (task->terminal()) return false;
  task->progress.started = true;
  TaskState state = TaskState::kFailed;
  TaskReason reason = TaskReason::kNone;
  std::string message;
  switch (end.cause) {
    case EndCause::kKilled:
      if (MUTANT("wrong-cause")) break;
      state = TaskState::kKilled;
      reason = task->being_killed() ? task->progress.kill_reason : TaskReason::kKillRequested;
      message = absl::StrCat(KillSentence(reason), "; ", HowItEnded(end));
      break;
    case EndCause::kDisconnected:
      state = TaskState::kKilled;
      reason = TaskReason::kDisconnectedTooLong;
      message = absl::StrCat(KillSentence(reason), "; ", HowItEnded(end));
      break;
    case EndCause::kMaxRunTime:
      reason = TaskReason::kMaxRunTime;
      message = absl::StrCat("stopped after its max_run_time_ms of ",
                             task->launch->task.max_run_time_ms, "; ", HowItEnded(end));
      break;
    case EndCause::kMemoryLimit:
      if (MUTANT("wrong-cause")) break;
      REACHED("a task runs out of memory");
      reason = TaskReason::kMemoryLimit;
      message = absl::StrCat("out of memory: the container used ", Mebibytes(end.memory_peak_bytes),
                             " of the ", Mebibytes(end.memory_limit_bytes), " it may use; ",
                             HowItEnded(end));
      break;
    case EndCause::kItself:
      if (task->being_killed()) REACHED("a task ends by itself while it is being killed");
      message = HowItEnded(end);
      if (end.signal.has_value()) {
        reason = TaskReason::kSignalled;
      } else if (end.exit_code.value_or(0) == 0 || MUTANT("exit-status-lost")) {
        state = TaskState::kFinished;
      } else {
        reason = TaskReason::kExited;
      }
      break;
  }
  model::TaskStatus& status = Append(task, detail, state, reason, std::move(message));
  status.exit_code = end.exit_code;
  status.signal = end.signal;
  return true;
}

bool OnShimLost(Task* task, const StatusDetail& detail) {
  if (task->terminal()) return false;
  Append(task, detail, TaskState::kFailed, TaskReason::kShimLost,
         "the process that watched over it died without leaving an exit status");
  return true;
}

bool OnRebooted(Task* task, const StatusDetail& detail) {
  if (task->terminal()) return false;
  Append(task, detail, TaskState::kFailed, TaskReason::kAgentRebooted,
         "the machine was rebooted while it ran");
  return true;
}

bool OnKill(Task* task, const StatusDetail& detail, TaskReason reason, int64_t grace_ms) {
  if (task->terminal() && !MUTANT("terminal-not-final")) return false;
  if (task->being_killed()) return false;
  task->progress.kill_reason = reason;
  task->progress.kill_grace_ms = grace_ms;
  Append(task, detail, TaskState::kKilling, reason, "");
  return true;
}

void OnRefused(Task* task, const StatusDetail& detail, TaskState state, TaskReason reason,
               std::string message) {
  Append(task, detail, state, reason, std::move(message));
}

}  // namespace proffer::agent
