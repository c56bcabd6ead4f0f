// The life of one attempt on its agent: which state follows on what, and what is told about it.
//
//   STARTING -> RUNNING -> [KILLING] -> FINISHED | FAILED | KILLED      or at once ERROR | DROPPED
//
// A transition appends at most one status to the attempt's progress; whoever calls it checkpoints
// the progress. Terminal is final: nothing changes an attempt that has ended.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "agent/core/events.h"
#include "agent/core/records.h"
#include "common/base/time.h"
#include "common/model/agent_protocol.h"
#include "common/model/task.h"

namespace proffer::agent {

struct Task {
  std::shared_ptr<const model::LaunchTask> launch;  // Without payload once it has started.
  Progress progress;
  int64_t pid = 0;          // 0: not known to run.
  uint64_t record_seq = 0;  // Of its newest record; 0: it was recovered.
  Time kill_deadline = Time::Never();

  model::TaskKey key() const { return {launch->framework, launch->task.id}; }
  const model::AttemptId& attempt() const { return launch->attempt; }
  bool terminal() const { return model::IsTerminal(progress.state); }
  bool being_killed() const { return progress.kill_reason != model::TaskReason::kNone; }
};

// What a status says besides the state.
struct StatusDetail {
  model::AgentId agent;
  int64_t unix_ms = 0;
};

// Each returns whether the progress changed.
bool OnStarted(Task* task, const StatusDetail& detail, int64_t pid);
bool OnLaunchFailed(Task* task, const StatusDetail& detail, const std::string& message);
bool OnLaunchCancelled(Task* task, const StatusDetail& detail);
bool OnEnded(Task* task, const StatusDetail& detail, const ContainerEnded& end);
bool OnShimLost(Task* task, const StatusDetail& detail);
bool OnRebooted(Task* task, const StatusDetail& detail);
// The first kill: from now on the task ends KILLED with `reason`, unless it ended otherwise before.
bool OnKill(Task* task, const StatusDetail& detail, model::TaskReason reason, int64_t grace_ms);
// A launch that is refused; `state` is DROPPED or ERROR.
void OnRefused(Task* task, const StatusDetail& detail, model::TaskState state,
               model::TaskReason reason, std::string message);

// "ended by signal 11 (SIGSEGV)".
std::string SignalSentence(int32_t signal);

}  // namespace proffer::agent
