#include "sim/judges/tasks.h"

namespace proffer::sim {
namespace {

using model::TaskReason;
using model::TaskState;

// The longest that a simulated program sits in the kernel, and a launcher stays away.
constexpr int64_t kKillBoundMs = 60'000;

std::string Name(TaskState state) { return std::string(model::TaskStateName(state)); }

// Words about a process of ours that must have existed, or never will, and is no more.
bool ClaimsEnd(TaskState state) {
  return state == TaskState::kFinished || state == TaskState::kFailed ||
         state == TaskState::kKilled || state == TaskState::kGone;
}

}  // namespace

void Tasks::Started(const std::string& machine, const model::LaunchTask& launch) {
  const Truth::Attempt* attempt = truth().Find(launch.attempt);
  if (attempt->starts > 1) {
    Violation("T1: attempt ", launch.attempt.ToString(), " of task ", launch.task.id.value(),
              " was started twice, on ", machine, " at last");
  }
  if (const auto said = said_ended_.find(launch.attempt); said != said_ended_.end()) {
    Violation("T10: attempt ", launch.attempt.ToString(), " starts on ", machine,
              " after it was called ", Name(said->second));
  }
}

void Tasks::AgentTold(const std::string& machine, const Wire& wire,
                      const model::AgentMessage& message) {
  const auto* update = std::get_if<model::AgentUpdate>(&message);
  if (update == nullptr || !model::IsTerminal(update->status.state)) return;
  said_ended_[update->status.attempt] = update->status.state;
}

void Tasks::AgentHeard(const std::string& machine, const Wire& wire,
                       const model::AgentOrder& order) {
  if (const auto* kill = std::get_if<model::KillTask>(&order)) {
    kills_.insert({kill->attempt, {machine, world().now() + kKillBoundMs}});
  }
  const auto* error = std::get_if<model::AgentError>(&order);
  if (error != nullptr && error->refusal == model::Refusal::kAgentGone) {
    gone_.insert({machine, world().now() + kKillBoundMs});
  }
  if (const auto* welcome = std::get_if<model::Welcome>(&order)) {
    for (const auto& [attempt, story] : truth().all()) {
      const model::AgentId agent = streams().AgentOf(attempt);
      if (story.machine != machine || !story.lives() || agent == welcome->agent) continue;
      Violation("A1: attempt ", attempt.ToString(), " of agent ", agent.value(), " lives on ",
                machine, ", which begins anew as ", welcome->agent.value());
    }
  }
  if (!std::holds_alternative<model::Ping>(order)) return;
  for (const auto& [attempt, kill] : kills_) {
    const Truth::Attempt* story = truth().Find(attempt);
    if (kill.machine != machine || kill.due > world().now()) continue;
    if (story != nullptr && story->lives()) {
      Violation("T10: attempt ", attempt.ToString(), " lives on ", machine, " ",
                kKillBoundMs / 1'000, " s after its agent was told to kill it");
    }
  }
}

void Tasks::Ended(const std::string& machine, const model::AttemptId& attempt, const TrueEnd& end) {
  const auto gone = gone_.find(machine);
  if (gone == gone_.end() || gone->second > world().now()) return;
  if (end.why == TrueEnd::Why::kItself) {
    Violation("A1: attempt ", attempt.ToString(), " lives to its own end on ", machine,
              ", whose agent was told that it is gone");
  }
}

void Tasks::AgentDied(const std::string& machine) {
  gone_.erase(machine);
  // A kill that was not checkpointed is not remembered.
  std::erase_if(kills_, [&](const auto& entry) { return entry.second.machine == machine; });
}

void Tasks::MasterDecidedForAgent(const Wire& wire, const model::AgentOrder& order) {
  const auto* launch = std::get_if<model::LaunchTask>(&order);
  if (launch == nullptr || !OfLeader(wire)) return;
  for (const auto& [attempt, story] : truth().all()) {
    // Of what another leader has launched this one may not have heard yet.
    if (!story.lives() || attempt.epoch != wire.epoch || attempt == launch->attempt) continue;
    if (story.launch.framework == launch->framework && story.launch.task.id == launch->task.id) {
      Violation("T1: task ", launch->task.id.value(), " is launched again while attempt ",
                attempt.ToString(), " of it lives");
    }
  }
}

void Tasks::SchedulerHeard(const std::string& node, const Wire& wire,
                           const model::SchedulerEvent& event) {
  const auto* status = std::get_if<model::TaskStatus>(&event);
  if (status == nullptr || !status->attempt.valid()) return;
  if (status->reason == TaskReason::kReconciled) return;  // judges/reconciliation.h
  const Truth::Attempt* attempt = truth().Find(status->attempt);
  const auto about = [&] {
    return absl::StrCat("attempt ", status->attempt.ToString(), " of task ", status->task.value());
  };
  if (ClaimsEnd(status->state) && attempt != nullptr && attempt->lives()) {
    Violation("T3: ", node, " was told that ", about(), " is ", Name(status->state),
              " while it lives");
  }
  if (status->state == TaskState::kDropped && attempt != nullptr) {
    Violation("T3: ", about(), " was called DROPPED although it was started");
  }
  if (status->state == TaskState::kRunning && attempt == nullptr) {
    Violation("T4: ", about(), " was called RUNNING although it never started");
  }
  TaskState& last = last_told_[status->attempt];
  if (model::IsTerminal(last) && model::IsTerminal(status->state) && last != status->state) {
    Violation("T6: ", about(), " was ", Name(last), " and then ", Name(status->state));
  }
  if (!model::IsTerminal(last)) last = status->state;
  if (status->source == model::StatusSource::kAgent) CheckCause(*status);
}

void Tasks::CheckCause(const model::TaskStatus& status) {
  if (!model::IsTerminal(status.state)) return;
  const Truth::Attempt* attempt = truth().Find(status.attempt);
  const auto lies = [&](const char* what) {
    Violation("T5: attempt ", status.attempt.ToString(), " was told as ", Name(status.state), " ",
              std::string(model::TaskReasonName(status.reason)), "; in truth it ", what);
  };
  const bool ended = attempt != nullptr && attempt->end.has_value();
  const bool by_itself = ended && attempt->end->why == TrueEnd::Why::kItself;
  switch (status.state) {
    case TaskState::kFinished:
      if (!by_itself || attempt->end->exit_code != 0) lies("did not exit with 0");
      return;
    case TaskState::kFailed:
      if (status.reason == TaskReason::kNone) lies("had a cause");
      if (status.reason == TaskReason::kExited &&
          (!by_itself || attempt->end->exit_code != status.exit_code)) {
        lies("did not exit with that code");
      }
      if (status.reason == TaskReason::kMemoryLimit &&
          (!ended || attempt->end->why != TrueEnd::Why::kOutOfMemory)) {
        lies("did not run out of memory");
      }
      if (status.reason == TaskReason::kSignalled && ended && !by_itself) {
        lies(attempt->end->why == TrueEnd::Why::kOutOfMemory ? "ran out of memory" : "was killed");
      }
      if (status.reason == TaskReason::kShimLost && ended &&
          attempt->end->why == TrueEnd::Why::kReboot) {
        lies("ended with its machine");
      }
      if (status.reason == TaskReason::kLaunchFailed && attempt != nullptr) lies("had started");
      if (status.reason == TaskReason::kMaxRunTime &&
          (attempt == nullptr || attempt->launch.task.max_run_time_ms == 0)) {
        lies("had no limit");
      }
      return;
    default:
      return;
  }
}

void Tasks::Result(const std::string& node, const std::string& user, uint64_t handle,
                   const model::TaskStatus& status) {
  if (!told_by_[node].insert(handle).second) {
    Violation("T6: ", node, " told the end of task ", handle, " twice");
  }
  const auto [it, first] = results_.insert({{user, handle}, status.state});
  if (!first && it->second != status.state) {
    Violation("T6: task ", handle, " of ", user, " ended as ", Name(it->second), " and as ",
              Name(status.state));
  }
}

}  // namespace proffer::sim
