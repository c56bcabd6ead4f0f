// L8: amnesia is refused. Whatever a master says that found an empty registry in the place of ours,
// and so leads a cluster of its own: no agent of ours tells it of its tasks, or takes orders from
// it, and no scheduler of ours begins anew there while its tasks live on with us.
#pragma once

#include <string>

#include "sim/judges/judge.h"

namespace proffer::sim {

class Amnesia final : public Judge {
 public:
  using Judge::Judge;

  void AgentToldForeigner(const std::string& machine, const model::AgentMessage& message) override {
    if (std::holds_alternative<model::AgentHello>(message)) return;
    Violation("L8: ", machine, " serves a master of another cluster");
  }
  void AgentHeardForeigner(const std::string& machine, const model::AgentOrder& order) override {
    if (std::holds_alternative<model::KillTask>(order) ||
        std::holds_alternative<model::EndFramework>(order)) {
      Violation("L8: ", machine, " is told to kill by a master of another cluster");
    }
  }
  void SchedulerToldForeigner(const std::string& node, const model::SchedulerCall& call) override {
    if (std::holds_alternative<model::Subscribe>(call.call)) return;
    Violation("L8: ", node, " works with a master of another cluster");
  }
  void SchedulerHeardForeigner(const std::string& node,
                               const model::SchedulerEvent& event) override {
    if (std::holds_alternative<model::StreamError>(event)) return;
    Violation("L8: ", node, " is served by a master of another cluster");
  }
};

}  // namespace proffer::sim
