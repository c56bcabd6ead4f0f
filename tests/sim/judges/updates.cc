#include "sim/judges/updates.h"

namespace proffer::sim {

void Updates::AgentTold(const std::string& machine, const Wire& wire,
                        const model::AgentMessage& message) {
  if (const auto* chunk = std::get_if<model::TaskChunk>(&message)) {
    std::set<model::AttemptId>& report = reports_[wire.number()];
    for (const model::TaskSummary& task : chunk->tasks) report.insert(task.attempt);
    if (chunk->last) CheckReport(machine, report);
    return;
  }
  const auto* update = std::get_if<model::AgentUpdate>(&message);
  if (update == nullptr) return;
  Stream& stream = streams_of_[update->status.attempt];
  stream.machine = machine;
  if (update->status.sequence > stream.acknowledged + 1) {
    Violation("T8: update ", update->status.sequence, " of attempt ",
              update->status.attempt.ToString(),
              " was sent before the one before it was "
              "acknowledged");
  }
  stream.told = std::max(stream.told, update->status.sequence);
}

void Updates::CheckReport(const std::string& machine, const std::set<model::AttemptId>& reported) {
  for (const auto& [attempt, story] : truth().all()) {
    if (story.machine == machine && story.lives() && reported.count(attempt) == 0 &&
        streams_of_.count(attempt) > 0) {
      Violation("A3: attempt ", attempt.ToString(), " lives on ", machine,
                " and is not in its agent's report");
    }
  }
  for (const auto& [attempt, stream] : streams_of_) {
    if (stream.machine == machine && stream.told > stream.acknowledged &&
        reported.count(attempt) == 0) {
      Violation("T9: an update of attempt ", attempt.ToString(), " was never acknowledged, and ",
                machine, " has left it out of its report");
    }
  }
}

void Updates::AgentHeard(const std::string& machine, const Wire& wire,
                         const model::AgentOrder& order) {
  const auto* error = std::get_if<model::AgentError>(&order);
  if (error != nullptr && error->refusal == model::Refusal::kAgentGone) {
    return Reimaged(machine);  // It begins anew.
  }
  const auto* ack = std::get_if<model::AckUpdate>(&order);
  if (ack == nullptr) return;
  Stream& stream = streams_of_[ack->attempt];
  stream.acknowledged = std::max(stream.acknowledged, ack->sequence);
}

void Updates::Reimaged(const std::string& machine) {
  std::erase_if(streams_of_, [&](const auto& entry) { return entry.second.machine == machine; });
}

void Updates::MasterDecidedForAgent(const Wire& wire, const model::AgentOrder& order) {
  const auto* launch = std::get_if<model::LaunchTask>(&order);
  // Hostile frameworks have gone by then, and nobody hears of what they left.
  if (launch != nullptr && OfLeader(wire) && !healed_at_.IsNever() &&
      users_.count(launch->framework_name) > 0) {
    in_peace_.insert(launch->attempt);
  }
}

void Updates::SchedulerHeard(const std::string& node, const Wire& wire,
                             const model::SchedulerEvent& event) {
  const auto* status = std::get_if<model::TaskStatus>(&event);
  if (status != nullptr && model::IsTerminal(status->state)) ends_heard_.insert(status->attempt);
}

void Updates::AtRest() {
  for (const model::AttemptId& attempt : in_peace_) {
    if (truth().Find(attempt) != nullptr && ends_heard_.count(attempt) == 0) {
      Violation("T7: the end of attempt ", attempt.ToString(), " of task ",
                truth().Find(attempt)->launch.task.id.value(), " was never told");
    }
  }
}

}  // namespace proffer::sim
