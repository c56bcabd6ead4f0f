// Tasks: rows that live in their framework, and what happens to them between launch and the
// acknowledgement of their end.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "common/model/agent_protocol.h"
#include "common/model/scheduler_protocol.h"
#include "common/model/task.h"
#include "master/core/views.h"

namespace proffer::master {

struct World;
struct Agent;
struct Framework;

// Attempts of one task id side by side: after a failover an agent may report an older one.
using TaskRowKey = std::pair<model::TaskId, model::AttemptId>;

struct Task {
  model::TaskKey key;
  model::AttemptId attempt;
  std::string name;
  model::AgentId agent;
  std::string role;
  std::string intent_id;
  Resources resources;
  bool holds_resources = false;

  model::TaskState state = model::TaskState::kStaging;  // The newest known.
  // The state before its agent became unreachable.
  model::TaskState reachable_state = model::TaskState::kStaging;
  // The status that waits for the framework's acknowledgement, if any; at most one an attempt.
  std::optional<model::TaskStatus> unacknowledged;
  // What its agent last told, for people.
  model::TaskReason reason = model::TaskReason::kNone;
  std::string message;
  std::optional<int32_t> exit_code;
  std::optional<int32_t> signal;

  // A kill that was taken up; repeated to the agent whenever it comes back.
  bool kill_requested = false;
  std::optional<int64_t> kill_grace_ms;

  int64_t launched_unix_ms = 0;
  int64_t running_unix_ms = 0;
  int64_t ended_unix_ms = 0;

  // Ended as far as the master knows; the row waits for an acknowledgement only.
  bool ended() const { return model::IsTerminal(state); }
};

// Whether agents can know of that state. Others come from newer versions, or from nonsense.
bool AgentMayTell(model::TaskState state);

// The newest attempt of that id, or null.
Task* FindTask(Framework& framework, const model::TaskId& id);
Task* FindAttempt(Framework& framework, const model::TaskId& id, model::AttemptId attempt);

// A new row on a connected agent, and the order to launch it. REQUIRES: validated, resources
// taken from an offer.
model::AttemptId LaunchTask(World& world, Framework& framework, Agent& agent,
                            const std::string& role, const model::TaskSpec& spec);

void KillCalled(World& world, Framework& framework, uint64_t call_id, const model::Kill& kill);
// Takes a kill up; repeats and shortens are fine.
void RequestKill(World& world, Task& task, std::optional<int64_t> grace_ms);

void AgentUpdated(World& world, Agent& agent, const model::AgentUpdate& update);
void UpdateAcknowledged(World& world, Framework& framework, const model::Acknowledge& ack);

// A task that an agent reported when it registered.
void TaskReported(World& world, Agent& agent, Framework& framework,
                  const model::TaskSummary& summary);
// The agent of the task became unreachable, or gone for good; `after_seq` is the record that
// says so.
void TaskUnreachable(World& world, Framework& framework, Task& task, uint64_t after_seq);
void TaskGone(World& world, Framework& framework, Task& task, uint64_t after_seq);

// The newest state known. The first one that is terminal frees the resources.
void SetState(World& world, Framework& framework, Task& task, model::TaskState state);
// Takes the row out, keeping a picture of it among the ended ones.
void EndRow(World& world, Framework& framework, TaskRowKey key);

// A status made by the master: sent once, never acknowledged.
model::TaskStatus MasterStatus(const World& world, const Task& task, model::TaskState state,
                               model::TaskReason reason, std::string message);
// The task's present state, as an answer to a question.
model::TaskStatus PresentStatus(const World& world, const Task& task);

TaskView ViewOf(const World& world, const Framework& framework, const Task& task);

}  // namespace proffer::master
