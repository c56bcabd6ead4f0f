// An agent process in the simulated world and the machine it runs on: the real core and checkpoint
// codec over simulated containers, which outlive the process.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "agent/core/core.h"
#include "common/base/outbox.h"
#include "sim/nodes/master_node.h"
#include "sim/nodes/runner_node.h"
#include "sim/world/disk.h"

namespace proffer::sim {

class AgentNode final : public Process {
 public:
  AgentNode(World* world, Network* network, Ensemble* ensemble, const Observers* observers,
            std::string name, const std::string& resources);

  const agent::Core* core() const { return core_.get(); }
  Disk& disk() { return disk_; }
  Shims& shims() { return shims_; }

  // --- Faults of the machine. Each also kills the process. ---
  void Reboot();
  // As Reboot; what was not durable is lost. (A killed process loses that as well.)
  void PowerCut() { Reboot(); }
  // Reinstalled: the work directory is empty.
  void Reimage();
  // The process dies, and while it is away so does a task of which it is written down that it was
  // started; nothing is left of that.
  void LoseRunDirectory();
  // Who it was before it was reinstalled. Only an operator can know that they will not come back.
  const std::vector<model::AgentId>& lost_ids() const { return lost_ids_; }
  // So many statuses of a framework at most are under way at once.
  void LimitUpdates(int most) { config_.most_updates_in_flight = most; }
  // The next life has other resources.
  void Resize(const std::string& resources);

 private:
  using Item = std::variant<agent::ContainerCommand, agent::SendMessage, agent::Stop>;
  enum Peer { kContainers, kMaster, kSelf };

  void OnStart() override;
  void OnCrash() override;
  void Post(const agent::Event& event);
  void CarryOut(agent::Effects& effects);
  void SendReady();
  void ScheduleTick();
  void Connect();
  void Attach(std::shared_ptr<Wire> wire);
  void ShowHeard(const model::AgentOrder& order);

  Ensemble* const ensemble_;
  const Observers* const observers_;
  agent::Config config_;
  Disk disk_;
  Shims shims_;
  int boots_ = 1;
  std::vector<model::AgentId> lost_ids_;
  std::unique_ptr<agent::Core> core_;
  std::shared_ptr<RunnerNode> runner_;
  Outbox<int, Item> outbox_;
  std::shared_ptr<Wire> wire_;
  uint64_t link_ = 0;
  uint64_t last_link_ = 0;
  uint64_t connects_ = 0;
  uint64_t alarm_ = 0;
  Time alarm_at_ = Time::Never();
};

}  // namespace proffer::sim
