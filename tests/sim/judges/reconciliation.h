// T11: an answer never says that a task which lives is no more, nor that nobody knows it, when it
// was asked for by the name of its agent.
#pragma once

#include <map>

#include "sim/judges/judge.h"

namespace proffer::sim {

class Reconciliation final : public Judge {
 public:
  using Judge::Judge;

  void MasterHeardScheduler(const Wire& wire, const model::SchedulerCall& call) override {
    const auto* asked = std::get_if<model::Reconcile>(&call.call);
    if (asked == nullptr) return;
    for (const auto& task : asked->tasks) asked_[{wire.number(), task.task}] = task.agent;
  }
  void MasterToldScheduler(const Wire& wire, const model::SchedulerEvent& event) override {
    using model::TaskState;
    const auto* status = std::get_if<model::TaskStatus>(&event);
    if (status == nullptr || status->reason != model::TaskReason::kReconciled) return;
    if (!OfLeader(wire)) return;
    const TaskState state = status->state;
    const bool no_more = model::IsTerminal(state) && state != TaskState::kGoneByOperator;
    if (!no_more && state != TaskState::kUnknown) return;
    for (const auto& [attempt, story] : truth().all()) {
      if (!story.lives() || story.launch.task.id != status->task ||
          story.launch.framework != streams().FrameworkOn(wire)) {
        continue;
      }
      // Of a later attempt of the same task one need not speak.
      if (status->attempt.valid() && status->attempt != attempt) continue;
      const auto asked = asked_.find({wire.number(), status->task});
      const bool by_agent = asked != asked_.end() && asked->second == streams().AgentOf(attempt);
      if (state == TaskState::kUnknown && !by_agent) continue;
      Violation("T11: task ", status->task.value(), " lives on ", story.machine,
                " and the answer was ", std::string(model::TaskStateName(state)));
    }
  }

 private:
  std::map<std::pair<uint64_t, model::TaskId>, model::AgentId> asked_;
};

}  // namespace proffer::sim
