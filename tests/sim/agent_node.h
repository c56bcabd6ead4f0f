// An agent process in the simulated world: the real core and checkpoint codec over simulated
// containers. Containers outlive the process, as shims do.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <variant>

#include "agent/core/core.h"
#include "common/base/outbox.h"
#include "sim/disk.h"
#include "sim/master_node.h"
#include "sim/witness.h"
#include "sim/world.h"

namespace proffer::sim {

class AgentNode {
 public:
  AgentNode(World* world, MasterNode* master, Witness* witness, std::string name,
            const std::string& resources);

  void Start();
  void Crash();
  bool up() const { return core_ != nullptr; }
  const agent::Core* core() const { return core_.get(); }

 private:
  // What a task does: lives so long, then ends so.
  struct Container {
    model::TaskKey key;
    bool started = false;
    bool ended = false;
    agent::EndCause cause = agent::EndCause::kItself;
    int exit_code = 0;
    std::optional<int32_t> signal;
  };
  using Item = std::variant<agent::ContainerCommand, agent::SendMessage, agent::Stop>;
  enum Peer { kContainers, kMaster, kSelf };

  void Post(const agent::Event& event);
  void CarryOut(agent::Effects& effects);
  void SendReady();
  void ScheduleTick();
  void Connect();

  void Do(const agent::ContainerCommand& command);
  void Launch(const agent::LaunchContainer& launch);
  void Kill(const agent::KillContainer& kill);
  void Recover(const agent::RecoverContainer& recover);
  void Ended(const model::AttemptId& attempt, agent::EndCause cause, int exit_code,
             std::optional<int32_t> signal);

  World* const world_;
  MasterNode* const master_;
  Witness* const witness_;
  const std::string name_;
  agent::Config config_;
  Disk disk_;
  uint64_t life_ = 0;
  std::unique_ptr<agent::Core> core_;
  Outbox<int, Item> outbox_;
  std::map<model::AttemptId, Container> containers_;  // Survive a crash of the agent.
  std::set<model::AttemptId> cancelled_;
  std::shared_ptr<Wire> wire_;
  uint64_t link_ = 0;
  uint64_t last_link_ = 0;
  uint64_t connects_ = 0;
  Time tick_at_ = Time::Never();
};

}  // namespace proffer::sim
