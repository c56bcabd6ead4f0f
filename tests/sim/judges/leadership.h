// L1: epochs in the registry's log never go down. L2: an agent that has obeyed an epoch starts
// nothing that an older one orders. L6: an agent id is never given to two machines or two work
// directories. A5 and F1: one live stream an agent and a framework; the older one is told nothing
// any more but that it is. F1, too: once an instance of a framework was welcomed, no leader lets an
// older one in.
#pragma once

#include <map>
#include <set>

#include "sim/judges/judge.h"

namespace proffer::sim {

class Leadership final : public Judge {
 public:
  using Judge::Judge;

  void EpochRaised(uint64_t epoch) override {
    if (epoch <= raised_) Violation("L1: epoch ", epoch, " was raised after ", raised_);
    raised_ = epoch;
  }
  void Committed(uint64_t epoch, const Mutation& mutation) override {
    if (epoch < raised_) {
      Violation("L1: epoch ", epoch, " wrote ", mutation.key, " after epoch ", raised_, " began");
    }
  }

  void AgentTold(const std::string& machine, const Wire& wire,
                 const model::AgentMessage& message) override {
    if (std::holds_alternative<model::TaskChunk>(message)) {
      uint64_t& obeyed = obeyed_[machine];
      if (wire.epoch < obeyed) {
        Violation("L2: ", machine, " reports to epoch ", wire.epoch, " after it obeyed ", obeyed);
      }
      obeyed = std::max(obeyed, wire.epoch);
    }
  }
  void AgentHeard(const std::string& machine, const Wire& wire,
                  const model::AgentOrder& order) override {
    if (const auto* launch = std::get_if<model::LaunchTask>(&order)) {
      if (wire.epoch < obeyed_[machine]) stale_.insert(launch->attempt);
    } else if (const auto* welcome = std::get_if<model::Welcome>(&order)) {
      const auto [it, first] = homes_.insert({welcome->agent, {machine, images_[machine]}});
      if (!first && it->second != std::make_pair(machine, images_[machine])) {
        Violation("L6: agent id ", welcome->agent.value(), " of ", it->second.first,
                  " was given to ", machine);
      }
    }
  }
  void Started(const std::string& machine, const model::LaunchTask& launch) override {
    if (stale_.count(launch.attempt) > 0) {
      Violation("L2: ", machine, " started attempt ", launch.attempt.ToString(),
                " by order of an epoch that it knew to be over");
    }
  }
  void Reimaged(const std::string& machine) override {
    ++images_[machine];
    obeyed_.erase(machine);
  }

  void MasterDecidedForAgent(const Wire& wire, const model::AgentOrder& order) override {
    if (const auto* welcome = std::get_if<model::Welcome>(&order)) {
      newest_agent_[{wire.epoch, welcome->agent}] = wire.number();
    }
    const model::AgentId agent = streams().AgentOn(wire);
    const auto newest = newest_agent_.find({wire.epoch, agent});
    if (newest != newest_agent_.end() && newest->second > wire.number() &&
        !std::holds_alternative<model::AgentError>(order)) {
      Violation("A5: agent ", agent.value(), " gets orders on a stream that a newer one replaced");
    }
  }
  void MasterDecidedForScheduler(const Wire& wire, const model::SchedulerEvent& event) override {
    if (const auto* subscribed = std::get_if<model::Subscribed>(&event)) {
      if (instances_[wire.number()] < welcomed_[subscribed->framework]) late_.insert(wire.number());
      newest_framework_[{wire.epoch, subscribed->framework}] = wire.number();
    }
    const model::FrameworkId framework = streams().FrameworkOn(wire);
    const auto newest = newest_framework_.find({wire.epoch, framework});
    if (newest != newest_framework_.end() && newest->second > wire.number() &&
        !std::holds_alternative<model::StreamError>(event)) {
      Violation("F1: an instance of framework ", framework.value(),
                " is served although a newer one has subscribed");
    }
  }
  void SchedulerTold(const std::string& node, const Wire& wire,
                     const model::SchedulerCall& call) override {
    const auto* subscribe = std::get_if<model::Subscribe>(&call.call);
    if (subscribe != nullptr) instances_[wire.number()] = subscribe->instance;
  }
  // What was decided under an epoch that was over is never durable, so never heard.
  void SchedulerHeard(const std::string& node, const Wire& wire,
                      const model::SchedulerEvent& event) override {
    const auto* subscribed = std::get_if<model::Subscribed>(&event);
    if (subscribed == nullptr) return;
    uint64_t& welcomed = welcomed_[subscribed->framework];
    const uint64_t instance = instances_[wire.number()];
    if (late_.count(wire.number()) > 0) {
      Violation("F1: ", node, ", instance ", instance, " of framework ",
                subscribed->framework.value(), ", was let in after instance ", welcomed);
    }
    welcomed = std::max(welcomed, instance);
  }

 private:
  uint64_t raised_ = 0;
  std::map<std::string, uint64_t> obeyed_;
  std::set<model::AttemptId> stale_;
  std::map<std::string, int> images_;
  std::map<model::AgentId, std::pair<std::string, int>> homes_;
  std::map<std::pair<uint64_t, model::AgentId>, uint64_t> newest_agent_;
  std::map<std::pair<uint64_t, model::FrameworkId>, uint64_t> newest_framework_;
  std::map<uint64_t, uint64_t> instances_;           // By wire.
  std::map<model::FrameworkId, uint64_t> welcomed_;  // The newest instance.
  std::set<uint64_t> late_;                          // Wires of instances older than that.
};

}  // namespace proffer::sim
