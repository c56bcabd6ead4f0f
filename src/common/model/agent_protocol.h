// What an agent and the master say to each other on the control stream: proffer/v1/agent.proto in
// domain types. The comments of the proto are the specification.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/model/ids.h"
#include "common/model/refusal.h"
#include "common/model/task.h"
#include "common/model/version.h"
#include "proffer/constraints.h"
#include "proffer/resources.h"

namespace proffer::model {

struct AgentInfo {
  AgentFacts facts;
  Resources resources;
  friend bool operator==(const AgentInfo&, const AgentInfo&) = default;
};

// OK, or what is too large, so that an agent's record never is (limits::kRecordBytes), or what is
// missing. INVALID_ARGUMENT.
absl::Status ValidateAgentInfo(const AgentInfo& info);

struct TaskSummary {
  TaskKey key;
  std::string name;
  AttemptId attempt;
  std::string role;
  TaskState state = TaskState::kUnspecified;
  Resources resources;
  std::string intent_id;
  bool unacknowledged = false;
  TaskReason reason = TaskReason::kNone;
  std::string message;
};

// --- From the agent ---

struct AgentHello {
  Version version;
  std::string cluster_id;
  AgentId agent;
  AgentInfo info;
  std::string boot_id;
  uint64_t resources_generation = 0;
  uint64_t highest_epoch = 0;
  int64_t tasks = 0;
};
struct TaskChunk {
  int64_t cursor = 0;
  std::vector<TaskSummary> tasks;
  bool last = false;
};
struct AgentUpdate {
  FrameworkId framework;
  TaskStatus status;
  TaskState latest_state = TaskState::kUnspecified;
};
struct Pong {
  uint64_t n = 0;
};
struct Goodbye {
  std::string reason;
};

using AgentMessage =
    std::variant<std::monostate, AgentHello, TaskChunk, AgentUpdate, Pong, Goodbye>;

// --- To the agent ---

struct Welcome {
  Version version;
  std::string cluster_id;
  uint64_t epoch = 0;
  AgentId agent;
  int64_t ping_ms = 0;
  int64_t unreachable_ms = 0;
};
struct SendTasks {
  int64_t cursor = 0;
  int64_t max_bytes = 0;
};
struct Registered {};
struct LaunchTask {
  FrameworkId framework;
  std::string framework_name;
  std::string role;
  AttemptId attempt;
  TaskSpec task;
  uint64_t resources_generation = 0;
};
struct KillTask {
  TaskKey key;
  AttemptId attempt;
  std::optional<int64_t> grace_ms;
};
struct AckUpdate {
  TaskKey key;
  AttemptId attempt;
  uint64_t sequence = 0;
};
struct ExpectTasks {
  struct Task {
    TaskKey key;
    AttemptId attempt;
    std::string intent_id;
  };
  std::vector<Task> tasks;
};
struct EndFramework {
  FrameworkId framework;
};
struct Ping {
  uint64_t n = 0;
};
struct OpenData {};
struct AgentError {
  Refusal refusal = Refusal::kNone;
  std::string message;
};

using AgentOrder =
    std::variant<std::monostate, Welcome, SendTasks, Registered, LaunchTask, KillTask, AckUpdate,
                 ExpectTasks, EndFramework, Ping, OpenData, AgentError>;

}  // namespace proffer::model
