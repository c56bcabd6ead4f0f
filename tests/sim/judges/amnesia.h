// L8: amnesia is refused. Whatever a master says that found an empty registry in the place of ours,
// and so leads a cluster of its own: no agent of ours tells it of its tasks, or takes orders from
// it.
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
};

}  // namespace proffer::sim
