// Tasks: what is asked for, what becomes of it. The numbers of the enums are those of proffer.v1.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "common/model/ids.h"
#include "proffer/resources.h"

namespace proffer::model {

enum class TaskState {
  kUnspecified = 0,
  kStaging = 1,
  kStarting = 2,
  kRunning = 3,
  kKilling = 4,
  kFinished = 5,
  kFailed = 6,
  kKilled = 7,
  kError = 8,
  kDropped = 9,
  kUnreachable = 10,
  kGone = 11,
  kGoneByOperator = 12,
  kUnknown = 13,
};
inline constexpr int kTaskStateMax = 13;

enum class TaskReason {
  kNone = 0,
  kInvalidTask = 1,
  kInvalidOffer = 2,
  kStaleResources = 3,
  kAgentLostIt = 4,
  kAgentDisconnected = 5,
  kExited = 10,
  kSignalled = 11,
  kLaunchFailed = 12,
  kMemoryLimit = 13,
  kMaxRunTime = 14,
  kShimLost = 15,
  kAgentRebooted = 16,
  kKillRequested = 20,
  kFrameworkRemoved = 21,
  kDisconnectedTooLong = 22,
  kReconciled = 30,
  kAgentUnreachable = 31,
  kAgentReregistered = 32,
  kAgentDeclaredGone = 33,
};
inline constexpr int kTaskReasonMax = 33;

enum class StatusSource { kUnspecified = 0, kMaster = 1, kAgent = 2, kExecutor = 3 };

// The states that a task of the cluster never leaves.
bool IsTerminal(TaskState state);
absl::string_view TaskStateName(TaskState state);     // "RUNNING"
absl::string_view TaskReasonName(TaskReason reason);  // "KILL_REQUESTED"; "" for none.
std::ostream& operator<<(std::ostream& os, TaskState state);

// What only the two ends understand: the serialised proffer.v1.TaskPayload. Never null in a spec
// that passed validation; shared because it is immutable and may be large.
using Payload = std::shared_ptr<const std::string>;

struct TaskSpec {
  TaskId id;
  std::string name;
  Resources resources;
  Payload payload;
  std::string intent_id;
  int64_t kill_grace_ms = 0;             // 0: the default of 5 s.
  int64_t max_run_time_ms = 0;           // 0: none.
  int64_t stop_after_disconnect_ms = 0;  // 0: never.
};

struct TaskStatus {
  TaskId task;
  AttemptId attempt;
  AgentId agent;
  TaskState state = TaskState::kUnspecified;
  TaskReason reason = TaskReason::kNone;
  std::string message;
  StatusSource source = StatusSource::kUnspecified;
  uint64_t sequence = 0;  // 0: sent once, never acknowledged.
  std::optional<int32_t> exit_code;
  std::optional<int32_t> signal;
  int64_t time_unix_ms = 0;
  std::string intent_id;

  friend bool operator==(const TaskStatus&, const TaskStatus&) = default;
};

}  // namespace proffer::model
