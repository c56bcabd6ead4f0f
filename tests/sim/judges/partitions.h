// A4: a partition is not a massacre: only so many agents a minute are given up, and none while most
// are missing. A6: nobody is given up for a time in which the master itself stood still.
#pragma once

#include <deque>
#include <map>
#include <set>

#include "common/convert/record.h"
#include "proffer/internal/registry.pb.h"
#include "sim/judges/judge.h"
#include "sim/nodes/master_node.h"

namespace proffer::sim {

class Partitions final : public Judge {
 public:
  Partitions(World* world, const Truth* truth, const Streams* streams,
             const MasterNode::Options& options)
      : Judge(world, truth, streams), options_(options) {}

  void EpochRaised(uint64_t epoch) override {
    given_up_.clear();
    heard_.clear();
    began_ = world().now();
    stood_still_.clear();
  }
  void MasterHeardAgent(const Wire& wire, const model::AgentMessage& message) override {
    if (OfLeader(wire)) heard_[streams().AgentOn(wire)] = world().now();
  }
  void MasterPaused(const std::string& node, int64_t ms) override {
    stood_still_.push_back({world().now(), world().now() + ms});
  }
  void Committed(uint64_t epoch, const Mutation& mutation) override {
    if (!mutation.value) return;
    absl::StatusOr<convert::OpenedRecord> record =
        convert::OpenRecord(mutation.key, *mutation.value);
    internal::AgentRecord agent;
    if (!record.ok() || record->type != "agent" || !agent.ParseFromString(record->payload)) return;
    const model::AgentId id(agent.agent_id());
    if (agent.state() != internal::AgentRecord::UNREACHABLE) {
      agent.state() == internal::AgentRecord::ADMITTED ? (void)admitted_.insert(id)
                                                       : (void)admitted_.erase(id);
      return;
    }
    CheckLimit();
    CheckShare();
    CheckSilence(id);
    admitted_.erase(id);
  }

 private:
  Time LastHeard(const model::AgentId& id) const {
    const auto it = heard_.find(id);
    return it == heard_.end() ? began_ : it->second;
  }
  void CheckLimit() {
    given_up_.push_back(world().now());
    while (world().now() - given_up_.front() > 55'000) given_up_.pop_front();
    // The limit is one a calendar minute, so two minutes' worth may be side by side.
    if (static_cast<int64_t>(given_up_.size()) > 2 * options_.unreachable_per_minute) {
      Violation("A4: ", given_up_.size(), " agents were given up within a minute; the limit is ",
                options_.unreachable_per_minute);
    }
  }
  void CheckShare() {
    // The share at which the valve shuts is 30 %; by the time that a decision is written agents may
    // have come back or fallen silent, so only what is far beyond it is held against it.
    const auto known = static_cast<int64_t>(admitted_.size());
    int64_t missing = 0;
    for (const model::AgentId& id : admitted_) {
      missing += world().now() - LastHeard(id) >= options_.unreachable_ms ? 1 : 0;
    }
    if (known >= options_.valve_min_agents && missing * 100 > known * 70) {
      Violation("A4: an agent was given up while ", missing, " of ", known, " are missing");
    }
  }
  void CheckSilence(const model::AgentId& id) {
    const Time since = LastHeard(id);
    int64_t awake_ms = world().now() - since;
    for (const auto& [from, to] : stood_still_) {
      awake_ms -= std::max<int64_t>(std::min(to, world().now()) - std::max(from, since), 0);
    }
    // It learns of its standing still by a turn that is late; turns are 5 s apart at most.
    if (awake_ms < options_.unreachable_ms - options_.unreachable_ms / 500 - 5'100) {
      Violation("A6: agent ", id.value(), " was given up after ", awake_ms,
                " ms in which the master was awake and heard nothing");
    }
  }

  const MasterNode::Options options_;
  std::deque<Time> given_up_;
  std::set<model::AgentId> admitted_;
  std::map<model::AgentId, Time> heard_;  // By the leader.
  Time began_;
  std::deque<std::pair<Time, Time>> stood_still_;
};

}  // namespace proffer::sim
