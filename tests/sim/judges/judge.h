// What all judges have in common, and what they are told of the streams.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/judges/truth.h"
#include "sim/world/observer.h"
#include "sim/world/world.h"

namespace proffer::sim {

// Who is at the other end of the masters' streams, by what the masters told them.
class Streams : public Observer {
 public:
  void MasterDecidedForAgent(const Wire& wire, const model::AgentOrder& order) override {
    if (const auto* welcome = std::get_if<model::Welcome>(&order)) {
      agents_[wire.number()] = welcome->agent;
    } else if (const auto* launch = std::get_if<model::LaunchTask>(&order)) {
      placed_[launch->attempt] = AgentOn(wire);
      owners_[launch->attempt] = launch->framework;
    }
  }
  void MasterDecidedForScheduler(const Wire& wire, const model::SchedulerEvent& event) override {
    if (const auto* subscribed = std::get_if<model::Subscribed>(&event)) {
      frameworks_[wire.number()] = subscribed->framework;
    }
  }
  void EpochRaised(uint64_t epoch) override { epoch_ = epoch; }

  // Empty: not welcomed yet.
  model::AgentId AgentOn(const Wire& wire) const { return AgentOn(wire.number()); }
  model::AgentId AgentOn(uint64_t stream) const { return Find(agents_, stream); }
  model::FrameworkId FrameworkOn(const Wire& wire) const {
    return Find(frameworks_, wire.number());
  }
  // Of every attempt that was ordered.
  model::AgentId AgentOf(const model::AttemptId& attempt) const { return Find(placed_, attempt); }
  model::FrameworkId OwnerOf(const model::AttemptId& attempt) const {
    return Find(owners_, attempt);
  }
  uint64_t newest_epoch() const { return epoch_; }

 private:
  template <typename Key, typename Value>
  static Value Find(const std::map<Key, Value>& map, const Key& key) {
    const auto it = map.find(key);
    return it == map.end() ? Value() : it->second;
  }
  std::map<uint64_t, model::AgentId> agents_;
  std::map<uint64_t, model::FrameworkId> frameworks_;
  std::map<model::AttemptId, model::AgentId> placed_;
  std::map<model::AttemptId, model::FrameworkId> owners_;
  uint64_t epoch_ = 0;
};

class Judge : public Observer {
 public:
  Judge(World* world, const Truth* truth, const Streams* streams)
      : world_(world), truth_(truth), streams_(streams) {}

 protected:
  // An invariant by its number in the list (docs/testing.md), and what was seen.
  template <typename... Parts>
  void Violation(const Parts&... parts) const {
    world_->Violation(absl::StrCat(parts...));
  }
  World& world() const { return *world_; }
  const Truth& truth() const { return *truth_; }
  const Streams& streams() const { return *streams_; }
  // Told by the leader, not by one that has lost the lead without knowing it.
  bool OfLeader(const Wire& wire) const { return wire.epoch == streams_->newest_epoch(); }

 private:
  World* const world_;
  const Truth* const truth_;
  const Streams* const streams_;
};

}  // namespace proffer::sim
