// A framework that means no good, or was written by somebody in a hurry: it speaks the protocol by
// hand. Its framework is ephemeral or has a short failover timeout, so that nothing of it is left
// some time after it has gone.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/model/scheduler_protocol.h"
#include "sim/nodes/master_node.h"

namespace proffer::sim {

class HostileNode final : public Process {
 public:
  enum class Way { kHoarder, kNeverAcknowledges, kRefusesAll, kReconnectLoop, kGarbage };
  HostileNode(World* world, Network* network, Ensemble* ensemble, const Observers* observers,
              std::string name, Way way);

 private:
  void OnStart() override;
  void OnCrash() override;
  void Connect();
  void Subscribe();
  void Take(const model::SchedulerEvent& event);
  void TakeOffers(const std::vector<model::Offer>& offers);
  void Say(model::SchedulerCall call);
  // Does something bad, and again after a while.
  void Act();
  model::SchedulerCall Nonsense();

  Ensemble* const ensemble_;
  const Observers* const observers_;
  const Way way_;
  std::shared_ptr<Wire> wire_;
  uint64_t connects_ = 0;
  uint64_t last_call_ = 0;
  uint64_t last_task_ = 0;
  model::FrameworkId framework_;
  std::vector<model::Offer> offers_;  // That it ever saw.
  std::vector<model::TaskStatus> statuses_;
};

}  // namespace proffer::sim
