// What becomes of a task, as the SDK tells it. The names and numbers are those of
// proto/proffer/v1/task.proto.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

#include "absl/strings/string_view.h"

namespace proffer {

enum class TaskState {
  kUnspecified = 0,
  kStaging = 1,   // Accepted by the master, not yet started.
  kStarting = 2,  // The agent is preparing it.
  kRunning = 3,
  kKilling = 4,          // A kill was taken up; the task still lives.
  kFinished = 5,         // Ended by itself with exit code 0.
  kFailed = 6,           // Ended otherwise; reason and message say how.
  kKilled = 7,           // Ended because somebody asked.
  kError = 8,            // The description of the task is wrong; never started.
  kDropped = 9,          // Never started, through no fault of the task; may be launched again.
  kUnreachable = 10,     // Its agent cannot be reached. It may live or not; it may come back.
  kGone = 11,            // It is no more.
  kGoneByOperator = 12,  // An operator declared its agent gone.
  kUnknown = 13,         // The cluster has never heard of it, or forgot it.
};

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

absl::string_view Name(TaskState state);    // "RUNNING"
absl::string_view Name(TaskReason reason);  // "EXITED"; "" for none.
std::ostream& operator<<(std::ostream& os, TaskState state);
std::ostream& operator<<(std::ostream& os, TaskReason reason);

struct TaskStatus {
  std::string task_id;
  TaskState state = TaskState::kUnspecified;
  TaskReason reason = TaskReason::kNone;
  std::string message;  // For people.
  std::string agent_id;
  std::optional<int> exit_code;
  std::optional<int> signal;
  int64_t time_unix_ms = 0;  // When it happened, by the reporter's clock. Informational.
  std::string intent_id;     // Of the launch it speaks of, when that is known.
  // The last word on this launch: the task has ended, or the cluster does not know it. Said
  // exactly once a launch (after a crash of the scheduler perhaps again).
  bool final = false;
  // Of a task of this scheduler's, in this life or in a former one that had a state store.
  bool own = false;
};

}  // namespace proffer
