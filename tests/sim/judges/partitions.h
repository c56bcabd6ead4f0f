// A4: a partition is not a massacre: only so many agents a minute are given up, and none while most
// are missing. A6: nobody is given up for a time in which the master itself stood still.
#pragma once

#include <deque>
#include <map>
#include <set>

#include "common/convert/record.h"
#include "master/core/world.h"
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
    stood_still_.clear();  // Whoever was chosen is awake.
  }
  void MasterHeardAgent(const Wire& wire, const model::AgentMessage& message) override {
    if (OfLeader(wire)) heard_[streams().AgentOn(wire)] = world().now();
  }
  void MasterDecidedForAgent(const Wire& wire, const model::AgentOrder& order) override {
    // Which is the answer to a hello.
    const auto* welcome = std::get_if<model::Welcome>(&order);
    if (welcome != nullptr && OfLeader(wire)) heard_[welcome->agent] = world().now();
  }
  void MasterPaused(const std::string& node, int64_t ms) override {
    auto& pauses = stood_still_[node];
    Time from = world().now();
    if (!pauses.empty()) from = std::max(from, pauses.back().second);
    pauses.push_back({from, std::max(from, world().now() + ms)});
  }
  void Healed() override {
    for (auto& [node, pauses] : stood_still_) {
      for (auto& [from, to] : pauses) to = std::min(to, world().now());
    }
  }
  void MasterTurned(const std::string& node, const master::Core& core) override {
    if (core.world().config.epoch == streams().newest_epoch()) leader_ = node;
  }
  void MasterDecidedRecord(uint64_t epoch, const Mutation& mutation) override {
    internal::AgentRecord agent;
    if (epoch != streams().newest_epoch() || !Parse(mutation, &agent)) return;
    if (agent.state() != internal::AgentRecord::UNREACHABLE) return;
    CheckLimit();
    CheckShare();
    CheckSilence(model::AgentId(agent.agent_id()));
  }
  void Committed(uint64_t epoch, const Mutation& mutation) override {
    internal::AgentRecord agent;
    if (!Parse(mutation, &agent)) return;
    if (agent.state() == internal::AgentRecord::ADMITTED) {
      admitted_.insert(model::AgentId(agent.agent_id()));
    } else {
      admitted_.erase(model::AgentId(agent.agent_id()));
    }
  }

 private:
  static bool Parse(const Mutation& mutation, internal::AgentRecord* agent) {
    if (!mutation.value) return false;
    absl::StatusOr<convert::OpenedRecord> record =
        convert::OpenRecord(mutation.key, *mutation.value);
    return record.ok() && record->type == "agent" && agent->ParseFromString(record->payload);
  }
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
    // The share at which the valve shuts is 30 %; one that is just coming back from unreachable is
    // not counted by it, so only what is far beyond is held against it.
    const auto known = static_cast<int64_t>(admitted_.size());
    int64_t missing = 0;
    for (const model::AgentId& id : admitted_) {
      missing += world().now() - LastHeard(id) >= options_.unreachable_ms ? 1 : 0;
    }
    if (known >= options_.valve_min_agents + 2 && missing * 100 > known * 70) {
      Violation("A4: an agent was given up while ", missing, " of ", known, " are missing");
    }
  }
  void CheckSilence(const model::AgentId& id) {
    const Time since = LastHeard(id);
    int64_t awake_ms = world().now() - since;
    int64_t unnoticed_ms = options_.unreachable_ms / 500;
    for (const auto& [from, to] : stood_still_[leader_]) {
      const int64_t still_ms = std::min(to, world().now()) - std::max(from, since);
      if (still_ms <= 0) continue;
      awake_ms -= still_ms;
      // It learns of that by a turn that is more than a second late; turns are a second apart.
      unnoticed_ms += 2'100;
    }
    if (awake_ms < options_.unreachable_ms - unnoticed_ms) {
      Violation("A6: agent ", id.value(), " was given up after ", awake_ms,
                " ms in which the master was awake and heard nothing");
    }
  }

  const MasterNode::Options options_;
  std::deque<Time> given_up_;
  std::set<model::AgentId> admitted_;
  std::map<model::AgentId, Time> heard_;  // By the leader.
  Time began_;
  std::string leader_;
  std::map<std::string, std::vector<std::pair<Time, Time>>> stood_still_;  // By node.
};

}  // namespace proffer::sim
