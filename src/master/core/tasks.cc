#include "master/core/tasks.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/simulation.h"
#include "master/core/registration.h"
#include "master/core/world.h"

namespace proffer::master {
namespace {

Task& AddTaskRow(World& world, Framework& framework, Agent& agent, const model::TaskId& id,
                 model::AttemptId attempt) {
  Task& task = framework.tasks[{id, attempt}];
  task.key = {framework.id(), id};
  task.attempt = attempt;
  task.agent = agent.id;
  agent.tasks.insert({task.key, attempt});
  ++framework.live_count;
  world.Touch(framework);
  world.Touch(agent);
  return task;
}

void ReturnResources(World& world, Framework& framework, Task& task) {
  Agent* agent = world.agents.Find(task.agent);
  if (agent == nullptr) return;
  ReturnUsed(world, *agent, task);
  world.touched.shares = true;
}

// What people see of a status.
void TakeOver(Task& task, const model::TaskStatus& status, model::TaskState latest) {
  if (model::IsTerminal(latest) && !model::IsTerminal(status.state)) {
    // Of a time before the end, which is known already, perhaps with its reason.
    if (task.ended()) return;
    task.reason = model::TaskReason::kNone;
    task.message.clear();
    return;
  }
  task.reason = status.reason;
  task.message = status.message;
  if (status.exit_code) task.exit_code = status.exit_code;
  if (status.signal) task.signal = status.signal;
}

}  // namespace

bool AgentMayTell(model::TaskState state) {
  return state != model::TaskState::kUnspecified && state != model::TaskState::kUnreachable &&
         state != model::TaskState::kGoneByOperator && state != model::TaskState::kUnknown;
}

Task* FindTask(Framework& framework, const model::TaskId& id) {
  // Attempts of an id lie together, the newest last.
  auto it = framework.tasks.upper_bound({id, {UINT64_MAX, UINT64_MAX}});
  if (it == framework.tasks.begin()) return nullptr;
  --it;
  return it->first.first == id ? &it->second : nullptr;
}

Task* FindAttempt(Framework& framework, const model::TaskId& id, model::AttemptId attempt) {
  auto it = framework.tasks.find({id, attempt});
  return it == framework.tasks.end() ? nullptr : &it->second;
}

void SetState(World& world, Framework& framework, Task& task, model::TaskState state) {
  if (task.ended()) return;  // Terminal is final.
  task.state = state;
  if (state == model::TaskState::kRunning && task.running_unix_ms == 0) {
    task.running_unix_ms = world.unix_ms;
  }
  world.Touch(task);
  if (!task.ended()) return;
  task.ended_unix_ms = world.unix_ms;
  --framework.live_count;
  ++framework.ended_count;
  ReturnResources(world, framework, task);
  world.Touch(framework);
}

model::AttemptId LaunchTask(World& world, Framework& framework, Agent& agent,
                            const std::string& role, const model::TaskSpec& spec) {
  const model::AttemptId attempt{world.config.epoch, ++world.last_attempt};
  Task& task = AddTaskRow(world, framework, agent, spec.id, attempt);
  task.name = spec.name;
  task.role = role;
  task.intent_id = spec.intent_id;
  task.resources = spec.resources;
  task.holds_resources = true;
  task.launched_unix_ms = world.unix_ms;
  UseOffered(world, agent, spec.resources);
  model::LaunchTask launch{framework.id(), framework.info.name, role, attempt, spec};
  launch.resources_generation = agent.resources_generation;
  world.Tell(agent, launch);
  if (MAYBE("order a launch twice")) world.Tell(agent, launch);
  world.Touch(task);
  return attempt;
}

void RequestKill(World& world, Task& task, std::optional<int64_t> grace_ms) {
  if (task.state == model::TaskState::kStaging) REACHED("a kill comes while its task is staging");
  if (task.kill_requested) REACHED("a kill comes a second time");
  if (task.state == model::TaskState::kUnreachable) REACHED("an unreachable task is killed");
  task.kill_requested = true;
  if (grace_ms && (!task.kill_grace_ms || *grace_ms < *task.kill_grace_ms)) {
    task.kill_grace_ms = grace_ms;
  }
  // An agent that is away is told when it is back.
  if (const Agent* agent = world.agents.Find(task.agent); agent && !agent->registering) {
    if (!agent->connected()) REACHED("a kill comes while the agent of its task is away");
    world.Tell(*agent, model::KillTask{task.key, task.attempt, task.kill_grace_ms});
    if (MAYBE("order a kill twice")) {
      world.Tell(*agent, model::KillTask{task.key, task.attempt, task.kill_grace_ms});
    }
  }
}

void KillCalled(World& world, Framework& framework, uint64_t call_id, const model::Kill& kill) {
  Task* task = kill.attempt.valid() ? FindAttempt(framework, kill.task, kill.attempt)
                                    : FindTask(framework, kill.task);
  const auto refuse = [&](model::Refusal refusal, std::string message) {
    world.Answer(framework, call_id,
                 {model::CallResult::Item{kill.task.value(), {refusal, std::move(message)}, {}}});
  };
  if (kill.grace_ms && (*kill.grace_ms < 0 || *kill.grace_ms > limits::kKillGraceMaxMs)) {
    refuse(model::Refusal::kInvalid,
           absl::StrCat("grace_ms is ", *kill.grace_ms, "; expected 0 to ", limits::kKillGraceMaxMs,
                        " (1 h)"));
    return;
  }
  if (task == nullptr && AnyAwaited(world)) {
    REACHED("a kill names a task that an awaited agent may have");
    refuse(model::Refusal::kNotKnownYet,
           absl::StrCat("task \"", kill.task.value(),
                        "\" may be on an agent that has not reported to the new leader yet; ask "
                        "again"));
    return;
  }
  if (task == nullptr && AnyUnreachable(world) && !MUTANT("unreachable-called-unknown")) {
    REACHED("a kill names a task that an unreachable agent may have");
    refuse(model::Refusal::kNotKnownYet,
           absl::StrCat("task \"", kill.task.value(),
                        "\" may be on an agent that cannot be reached; ask again when it is back "
                        "or declared gone"));
    return;
  }
  if (task == nullptr) {
    REACHED("a kill names a task that nobody knows");
    refuse(model::Refusal::kUnknownTask,
           absl::StrCat("no task \"", kill.task.value(), "\" of this framework lives"));
    model::TaskStatus status;
    status.task = kill.task;
    status.attempt = kill.attempt;
    status.state = model::TaskState::kUnknown;
    status.reason = model::TaskReason::kReconciled;
    status.source = model::StatusSource::kMaster;
    status.message = "asked to kill a task that the master does not know";
    status.time_unix_ms = world.unix_ms;
    world.Tell(framework, std::move(status));
    return;
  }
  if (SIMULATED && task->ended()) REACHED("a kill comes after the end of its task");
  if (!task->ended()) RequestKill(world, *task, kill.grace_ms);
  world.Answer(framework, call_id,
               {model::CallResult::Item{kill.task.value(), model::Outcome::Ok(), task->attempt}});
}

void AgentUpdated(World& world, Agent& agent, const model::AgentUpdate& update) {
  const model::TaskStatus& status = update.status;
  Framework* framework = world.frameworks.Find(update.framework);
  if (framework == nullptr || framework->ending) {
    REACHED("a status comes for a framework that is no more");
    // Nobody is left to acknowledge it.
    world.Tell(agent,
               model::AckUpdate{{update.framework, status.task}, status.attempt, status.sequence});
    const model::TaskState latest =
        model::IsTerminal(status.state) ? status.state : update.latest_state;
    if (world.frameworks.WasRemoved(update.framework) && !model::IsTerminal(latest)) {
      // That it was removed may have been written only just now.
      world.Tell(agent, model::EndFramework{update.framework}, world.last_seq);
    }
    Task* task =
        framework == nullptr ? nullptr : FindAttempt(*framework, status.task, status.attempt);
    if (task == nullptr || task->agent != agent.id || !AgentMayTell(latest)) return;
    TakeOver(*task, status, latest);
    SetState(world, *framework, *task, latest);
    if (task->ended()) {
      EndRow(world, *framework, {status.task, status.attempt});
    } else {
      world.Touch(*task);
    }
    return;
  }
  // The agent's own name for itself is not trusted.
  model::TaskStatus told = status;
  told.agent = agent.id;
  if (!AgentMayTell(told.state)) told.state = model::TaskState::kUnspecified;
  Task* task = FindAttempt(*framework, status.task, status.attempt);
  if (task == nullptr) {
    REACHED("a status comes again that was acknowledged");
    // Acknowledged already, but the agent did not hear of it: the framework will say so again.
    world.Tell(*framework, std::move(told));
    return;
  }
  if (task->agent != agent.id) {
    world.Note(absl::StrCat("agent ", agent.id.value(), " tells of task ", status.task.value(),
                            " of agent ", task->agent.value(), "; ignored"));
    world.Tell(agent,
               model::AckUpdate{{update.framework, status.task}, status.attempt, status.sequence});
    return;
  }
  told.intent_id = task->intent_id;
  const bool behind = model::IsTerminal(told.state) && !model::IsTerminal(update.latest_state);
  const model::TaskState latest =
      behind || !AgentMayTell(update.latest_state) ? told.state : update.latest_state;
  if (SIMULATED && model::IsTerminal(latest) && !model::IsTerminal(told.state)) {
    REACHED("a task ended behind a status that is not acknowledged");
  }
  TakeOver(*task, told, latest);
  if (AgentMayTell(latest)) SetState(world, *framework, *task, latest);
  task->unacknowledged = told;
  world.Touch(*task);
  if (MAYBE("tell a status twice")) world.Tell(*framework, told);
  if (MUTANT("wrong-framework-told")) framework = &world.frameworks.all().begin()->second;
  world.Tell(*framework, std::move(told));
}

void UpdateAcknowledged(World& world, Framework& framework, const model::Acknowledge& ack) {
  Task* task = FindAttempt(framework, ack.task, ack.attempt);
  Agent* agent = world.agents.Find(task != nullptr ? task->agent : ack.agent);
  // What an agent that is registering has reported may be older than this acknowledgement. It
  // repeats the status when it is done, and the framework repeats the acknowledgement.
  if (agent != nullptr && agent->registering) {
    REACHED("an acknowledgement comes while the agent registers");
    return;
  }
  if (agent != nullptr) {
    if (!agent->connected()) REACHED("an acknowledgement comes while the agent is away");
    world.Tell(*agent, model::AckUpdate{{framework.id(), ack.task}, ack.attempt, ack.sequence});
    if (MAYBE("pass an acknowledgement on twice")) {
      world.Tell(*agent, model::AckUpdate{{framework.id(), ack.task}, ack.attempt, ack.sequence});
    }
  }
  if (task == nullptr) REACHED("an acknowledgement comes for a task without a row");
  if (task == nullptr || !task->unacknowledged || task->unacknowledged->sequence != ack.sequence) {
    if (task == nullptr) return;
    REACHED("an acknowledgement comes for an older status");
    if (task->ended() && agent != nullptr && agent->connected() && MAYBE("cut an agent off")) {
      RefuseAgent(world, agent->stream, model::Refusal::kAgentUnavailable, "register again");
      AgentStreamEnded(world, *agent);
    }
    return;
  }
  const bool was_last = model::IsTerminal(task->unacknowledged->state);
  task->unacknowledged.reset();
  if (was_last && agent != nullptr && MAYBE("order a kill of what is over")) {
    world.Tell(*agent, model::KillTask{task->key, task->attempt, std::nullopt});
  }
  if (was_last) {
    EndRow(world, framework, {ack.task, ack.attempt});
  } else {
    world.Touch(*task);
  }
}

void TaskReported(World& world, Agent& agent, Framework& framework,
                  const model::TaskSummary& summary) {
  Task* task = FindAttempt(framework, summary.key.task, summary.attempt);
  if (task != nullptr && task->agent != agent.id) {
    world.Note(absl::StrCat("agent ", agent.id.value(), " reports task ", summary.key.task.value(),
                            " of agent ", task->agent.value(), "; ignored"));
    return;
  }
  if (task == nullptr) {
    REACHED("a master learns of a task from the agent that has it");
    if (SIMULATED && FindTask(framework, summary.key.task) != nullptr) {
      REACHED("an agent reports another attempt of a task that is known");
    }
    task = &AddTaskRow(world, framework, agent, summary.key.task, summary.attempt);
    task->name = summary.name;
    task->role = summary.role;
    task->intent_id = summary.intent_id;
    task->resources = summary.resources;
    task->state = model::TaskState::kStaging;
    const bool ended = model::IsTerminal(summary.state) && AgentMayTell(summary.state);
    if (!ended && !MUTANT("reported-task-not-counted")) UseReported(world, agent, *task);
  }
  const bool was_unreachable = task->state == model::TaskState::kUnreachable;
  task->reason = summary.reason;
  task->message = summary.message;
  const model::TaskState before = was_unreachable ? task->reachable_state : task->state;
  SetState(world, framework, *task, AgentMayTell(summary.state) ? summary.state : before);
  world.Touch(*task);
  if (SIMULATED && was_unreachable && task->ended()) {
    REACHED("a task ended while it was unreachable");
  }
  // Of one that ended the agent tells itself.
  if (was_unreachable && !task->ended()) {
    model::TaskStatus status = MasterStatus(
        world, *task, task->state, model::TaskReason::kAgentReregistered, "its agent is back");
    world.Tell(framework, std::move(status));
  }
  // Ended, acknowledged, and still told: the agent forgets it as soon as it hears of that.
  if (task->ended() && !summary.unacknowledged) {
    EndRow(world, framework, {summary.key.task, summary.attempt});
  }
}

void TaskUnreachable(World& world, Framework& framework, Task& task, uint64_t after_seq) {
  if (task.ended() || task.state == model::TaskState::kUnreachable) return;
  task.reachable_state = task.state;
  task.state = model::TaskState::kUnreachable;
  world.Touch(task);
  world.Tell(framework,
             MasterStatus(world, task, task.state, model::TaskReason::kAgentUnreachable,
                          "its agent is unreachable; the task may live or not"),
             after_seq);
}

void TaskGone(World& world, Framework& framework, Task& task, uint64_t after_seq) {
  if (!task.ended() || MUTANT("gone-told-of-the-ended")) {
    const model::TaskState gone = model::TaskState::kGoneByOperator;
    task.reason = model::TaskReason::kAgentDeclaredGone;
    task.message = "an operator declared its agent gone";
    SetState(world, framework, task, gone);
    world.Tell(framework, MasterStatus(world, task, gone, task.reason, task.message), after_seq);
  }
  EndRow(world, framework, {task.key.task, task.attempt});
}

void EndRow(World& world, Framework& framework, TaskRowKey key) {
  auto it = framework.tasks.find(key);
  Task& task = it->second;
  if (!task.ended()) --framework.live_count;
  ReturnResources(world, framework, task);
  if (Agent* agent = world.agents.Find(task.agent)) {
    agent->tasks.erase({task.key, task.attempt});
    world.Touch(*agent);
  }
  world.touched.tasks.erase({framework.id(), key});
  task.unacknowledged.reset();
  TaskView view = ViewOf(world, framework, task);
  world.Removed(view);
  framework.ended.push_back(std::move(view));
  if (framework.ended.size() > static_cast<size_t>(limits::kEndedTasksPerFramework)) {
    framework.ended.pop_front();
  }
  framework.tasks.erase(it);
  world.Touch(framework);
}

model::TaskStatus MasterStatus(const World& world, const Task& task, model::TaskState state,
                               model::TaskReason reason, std::string message) {
  model::TaskStatus status;
  status.task = task.key.task;
  status.attempt = task.attempt;
  status.agent = task.agent;
  status.state = state;
  status.reason = reason;
  status.message = std::move(message);
  status.source = model::StatusSource::kMaster;
  status.time_unix_ms = world.unix_ms;
  status.intent_id = task.intent_id;
  return status;
}

model::TaskStatus PresentStatus(const World& world, const Task& task) {
  model::TaskStatus status =
      MasterStatus(world, task, task.state, model::TaskReason::kReconciled, task.message);
  status.exit_code = task.exit_code;
  status.signal = task.signal;
  return status;
}

TaskView ViewOf(const World& world, const Framework& framework, const Task& task) {
  TaskView view;
  view.key = task.key;
  view.framework_name = framework.info.name;
  view.name = task.name;
  view.attempt = task.attempt;
  view.agent = task.agent;
  if (const Agent* agent = world.agents.Find(task.agent)) view.hostname = agent->name();
  view.role = task.role;
  view.state = task.state;
  view.reason = task.reason;
  view.message = task.message;
  view.resources = task.resources;
  view.exit_code = task.exit_code;
  view.signal = task.signal;
  view.launched_unix_ms = task.launched_unix_ms;
  view.running_unix_ms = task.running_unix_ms;
  view.ended_unix_ms = task.ended_unix_ms;
  view.unacknowledged = task.unacknowledged.has_value();
  return view;
}

}  // namespace proffer::master
