// What judges are shown. None of it is the system's own account of itself: the kernels of the
// simulated machines, the ensemble's log, and what goes over the wires tell it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/store.h"
#include "common/model/agent_protocol.h"
#include "common/model/scheduler_protocol.h"
#include "master/core/core.h"
#include "sim/world/network.h"

namespace proffer::sim {

// How a program ended, as its kernel knows.
struct TrueEnd {
  enum class Why { kItself, kKilled, kOutOfMemory, kShimLost, kReboot } why = Why::kItself;
  std::optional<int> exit_code;
  std::optional<int> signal;
};

// All calls come in the order in which things happen. `machine` and `node` are names.
class Observer {
 public:
  virtual ~Observer() = default;

  // --- Kernels ---
  virtual void Started(const std::string& machine, const model::LaunchTask& launch) {}
  virtual void Ended(const std::string& machine, const model::AttemptId& attempt,
                     const TrueEnd& end) {}
  // The agent's work directory is empty or another one from now on.
  virtual void Reimaged(const std::string& machine) {}
  // The agent process begins; what it says it has is `resources`.
  virtual void AgentStarted(const std::string& machine, const Resources& resources) {}
  virtual void AgentDied(const std::string& machine) {}

  // --- The ensemble ---
  virtual void EpochRaised(uint64_t epoch) {}
  virtual void Committed(uint64_t epoch, const Mutation& mutation) {}

  // --- Masters: what they decide, what leaves them (later, when it may), what they hear ---
  virtual void MasterDecidedRecord(uint64_t epoch, const Mutation& mutation) {}
  virtual void MasterDecidedForAgent(const Wire& wire, const model::AgentOrder& order) {}
  virtual void MasterDecidedForScheduler(const Wire& wire, const model::SchedulerEvent& event) {}
  virtual void MasterToldAgent(const Wire& wire, const model::AgentOrder& order) {}
  virtual void MasterToldScheduler(const Wire& wire, const model::SchedulerEvent& event) {}
  virtual void MasterHeardAgent(const Wire& wire, const model::AgentMessage& message) {}
  virtual void MasterHeardScheduler(const Wire& wire, const model::SchedulerCall& call) {}
  // Its end of the stream has been closed.
  virtual void MasterLostAgent(const Wire& wire) {}
  virtual void MasterLostScheduler(const Wire& wire) {}
  virtual void MasterPaused(const std::string& node, int64_t ms) {}
  virtual void MasterTurned(const std::string& node, const master::Core& core) {}

  // --- Agents and schedulers ---
  virtual void AgentTold(const std::string& machine, const Wire& wire,
                         const model::AgentMessage& message) {}
  virtual void AgentHeard(const std::string& machine, const Wire& wire,
                          const model::AgentOrder& order) {}
  virtual void SchedulerTold(const std::string& node, const Wire& wire,
                             const model::SchedulerCall& call) {}
  virtual void SchedulerHeard(const std::string& node, const Wire& wire,
                              const model::SchedulerEvent& event) {}
  virtual void SchedulerDied(const std::string& node) {}
  // A user was told by this process how a task that they handed in has ended.
  virtual void Result(const std::string& node, const std::string& user, uint64_t handle,
                      const model::TaskStatus& status) {}

  // --- What passes between an agent and a master of another cluster; nothing else of that is shown
  virtual void AgentToldForeigner(const std::string& machine, const model::AgentMessage& message) {}
  virtual void AgentHeardForeigner(const std::string& machine, const model::AgentOrder& order) {}
  virtual void SchedulerToldForeigner(const std::string& node, const model::SchedulerCall& call) {}
  virtual void SchedulerHeardForeigner(const std::string& node,
                                       const model::SchedulerEvent& event) {}

  // --- The end ---
  // The faults are over; everything works from now on.
  virtual void Healed() {}
  // Every framework has gone, and some time has passed.
  virtual void AtRest() {}
};

// Shows everything to all judges.
class Observers {
 public:
  void Add(std::unique_ptr<Observer> observer) { all_.push_back(std::move(observer)); }

  template <typename... Parameters, typename... Arguments>
  void Show(void (Observer::*what)(Parameters...), const Arguments&... arguments) const {
    for (const auto& observer : all_) ((*observer).*what)(arguments...);
  }

 private:
  std::vector<std::unique_ptr<Observer>> all_;
};

}  // namespace proffer::sim
