// T7: what ended in peace was told. T8: updates of an attempt in order, the next only after the
// former was acknowledged. T9 and A3: what lives or was not acknowledged is in the agent's report.
#pragma once

#include <map>
#include <set>

#include "sim/judges/judge.h"

namespace proffer::sim {

class Updates final : public Judge {
 public:
  Updates(World* world, const Truth* truth, const Streams* streams, std::set<std::string> users)
      : Judge(world, truth, streams), users_(std::move(users)) {}

  void AgentTold(const std::string& machine, const Wire& wire,
                 const model::AgentMessage& message) override;
  void AgentHeard(const std::string& machine, const Wire& wire,
                  const model::AgentOrder& order) override;
  void SchedulerHeard(const std::string& node, const Wire& wire,
                      const model::SchedulerEvent& event) override;
  void Reimaged(const std::string& machine) override;
  void Healed() override { healed_at_ = world().now(); }
  void MasterDecidedForAgent(const Wire& wire, const model::AgentOrder& order) override;
  void AtRest() override;

 private:
  struct Stream {
    std::string machine;
    uint64_t told = 0;  // The highest number.
    uint64_t acknowledged = 0;
  };
  void CheckReport(const std::string& machine, const std::set<model::AttemptId>& reported);

  const std::set<std::string> users_;
  std::map<model::AttemptId, Stream> streams_of_;
  std::map<uint64_t, std::set<model::AttemptId>> reports_;  // By stream, until it is whole.
  std::set<model::AttemptId> ends_heard_;
  std::set<model::AttemptId> in_peace_;  // Ordered after everything was healed.
  Time healed_at_ = Time::Never();
};

}  // namespace proffer::sim
