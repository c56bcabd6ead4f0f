// L4: what was acknowledged is in the registry. L5: nothing that depends on a record is told before
// the record is there. A1: an agent that is gone never returns. A2: only legal moves.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "common/convert/record.h"
#include "proffer/internal/registry.pb.h"
#include "sim/judges/judge.h"

namespace proffer::sim {

class RegistryJudge final : public Judge {
 public:
  using Judge::Judge;

  void Committed(uint64_t epoch, const Mutation& mutation) override;
  void MasterHeardScheduler(const Wire& wire, const model::SchedulerCall& call) override;
  void MasterDecidedForAgent(const Wire& wire, const model::AgentOrder& order) override;
  void MasterToldAgent(const Wire& wire, const model::AgentOrder& order) override;
  void MasterToldScheduler(const Wire& wire, const model::SchedulerEvent& event) override;

 private:
  using State = internal::AgentRecord::State;
  struct AgentRow {
    State state = internal::AgentRecord::STATE_UNSPECIFIED;
    bool ever_unreachable = false;
  };
  void TellsOf(const model::AgentId& agent, bool gone);

  std::map<std::string, AgentRow> agents_;
  std::map<std::string, bool> frameworks_;  // -> removed.
  std::set<uint64_t> ephemeral_;            // Streams.
};

}  // namespace proffer::sim
