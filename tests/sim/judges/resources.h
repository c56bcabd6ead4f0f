// R1: a unit of resource is never in two hands: not of two offers, two launches, or two live tasks.
// R3: an offer is used once, by whom it was made to, while it stands. R4: offers go to whom they
// may: of the role, not suppressed, and not what was refused a moment ago. R8: no offer outlives
// its time, no framework holds more than its share of them.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>

#include "sim/judges/judge.h"

namespace proffer::sim {

class OffersJudge final : public Judge {
 public:
  struct Limits {
    int64_t offer_timeout_ms = 0;
    int most_offers = 0;
  };
  OffersJudge(World* world, const Truth* truth, const Streams* streams, Limits limits)
      : Judge(world, truth, streams), limits_(limits) {}

  void AgentStarted(const std::string& machine, const Resources& resources) override;
  void Started(const std::string& machine, const model::LaunchTask& launch) override;
  void Ended(const std::string& machine, const model::AttemptId& attempt,
             const TrueEnd& end) override;
  void AgentHeard(const std::string& machine, const Wire& wire,
                  const model::AgentOrder& order) override;
  void MasterHeardAgent(const Wire& wire, const model::AgentMessage& message) override;
  void MasterHeardScheduler(const Wire& wire, const model::SchedulerCall& call) override;
  void MasterLostScheduler(const Wire& wire) override;
  void MasterDecidedForAgent(const Wire& wire, const model::AgentOrder& order) override;
  void MasterDecidedForScheduler(const Wire& wire, const model::SchedulerEvent& event) override;
  void MasterTurned(const std::string& node, const master::Core& core) override;

 private:
  struct Open {
    uint64_t wire = 0;
    model::FrameworkId framework;
    model::AgentId agent;
    std::string role;
    Resources resources;
    Time made;
  };
  // What a call to launch a task named.
  struct Wanted {
    uint64_t wire = 0;
    std::vector<model::OfferId> offers;
    bool stood = true;  // All of them, when the call was heard.
  };
  // Holds until then, or until the agent has more free than that.
  struct Refused {
    Resources resources;
    Time until;
  };
  void Offered(const Wire& wire, const model::Offer& offer);
  void Close(const model::OfferId& id);
  void Refuse(const Wire& wire, const model::Decline& decline);
  // The most that may be free of an agent: what is not offered and not known to be used.
  Resources MostFree(const model::AgentId& agent, uint64_t epoch) const;
  // Something became free there, perhaps.
  void VoidRefusals(const model::AgentId& agent);
  void ForgetRefusals(uint64_t wire);
  void CloseAllOf(uint64_t wire);

  const Limits limits_;
  // --- By machine ---
  std::map<std::string, Resources> totals_;
  std::map<std::string, std::set<model::AttemptId>> ordered_now_;  // In this life of the agent.
  // --- By master ---
  std::map<model::OfferId, Open> open_;
  std::map<model::OfferId, Open> made_;  // All that ever were.
  // By framework, task and intent: two calls may name the same task.
  std::map<std::tuple<model::FrameworkId, model::TaskId, std::string>, Wanted> wanted_;
  std::map<uint64_t, std::set<std::string>> roles_;  // Of the stream's framework.
  std::map<uint64_t, std::set<std::string>> suppressed_;
  std::map<std::pair<uint64_t, model::AgentId>, std::map<std::string, Refused>>
      refused_;                                 // By role.
  std::map<uint64_t, Resources> agent_totals_;  // By stream: as said in hello.
};

}  // namespace proffer::sim
