// T1: an attempt is started at most once, and a task has one live attempt. T3: no invented death.
// T4: no invented life. T5: the true cause. T6: terminal is final. T10: what was called ended never
// starts; a kill ends a task within its grace and a bound.
#pragma once

#include <map>
#include <set>
#include <string>

#include "sim/judges/judge.h"

namespace proffer::sim {

class Tasks final : public Judge {
 public:
  using Judge::Judge;

  void Started(const std::string& machine, const model::LaunchTask& launch) override;
  void Ended(const std::string& machine, const model::AttemptId& attempt,
             const TrueEnd& end) override;
  void AgentTold(const std::string& machine, const Wire& wire,
                 const model::AgentMessage& message) override;
  void AgentHeard(const std::string& machine, const Wire& wire,
                  const model::AgentOrder& order) override;
  void AgentDied(const std::string& machine) override;
  void SchedulerHeard(const std::string& node, const Wire& wire,
                      const model::SchedulerEvent& event) override;
  void MasterDecidedForAgent(const Wire& wire, const model::AgentOrder& order) override;
  void SchedulerDied(const std::string& node) override { told_by_.erase(node); }
  void Result(const std::string& node, const std::string& user, uint64_t handle,
              const model::TaskStatus& status) override;

 private:
  struct Kill {
    std::string machine;
    Time due;
  };
  void CheckCause(const model::TaskStatus& status);

  std::map<model::AttemptId, model::TaskState> last_told_;
  std::map<std::pair<std::string, uint64_t>, model::TaskState> results_;
  std::map<std::string, std::set<uint64_t>> told_by_;
  std::map<model::AttemptId, model::TaskState> said_ended_;  // By the agent.
  std::map<model::AttemptId, Kill> kills_;
  std::map<std::string, Time> gone_;  // By when all tasks of the machine must have ended.
};

}  // namespace proffer::sim
