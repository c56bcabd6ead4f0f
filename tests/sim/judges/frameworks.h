// F2: a framework that is away keeps its tasks for its failover timeout, whoever leads meanwhile.
// F3: a framework hears of its own tasks only.
#pragma once

#include <map>
#include <set>

#include "sim/judges/judge.h"

namespace proffer::sim {

class FrameworksJudge final : public Judge {
 public:
  using Judge::Judge;

  void MasterHeardScheduler(const Wire& wire, const model::SchedulerCall& call) override {
    // What a former leader hears does not count: it is the leader that knows who is away. Nor does
    // what is said before the subscription is confirmed, which is when it is true for ever.
    if (OfLeader(wire) && confirmed_.count(wire.number()) > 0) {
      last_seen_[streams().FrameworkOn(wire)] = world().now();
    }
    if (std::holds_alternative<model::Teardown>(call.call)) {
      may_end_.insert(streams().FrameworkOn(wire));
    } else if (const auto* subscribe = std::get_if<model::Subscribe>(&call.call)) {
      // Of several on the same stream one counts; which, need not be known here.
      const int64_t timeout_ms =
          subscribe->framework.ephemeral ? 10'000 : subscribe->framework.failover_timeout_ms;
      const auto [it, first] = timeouts_.insert({wire.number(), timeout_ms});
      if (!first) it->second = std::min(it->second, timeout_ms);
      // Hostile ones say now this, now that, several times on one stream.
      if (subscribe->framework.name.size() != 2) hostile_.insert(wire.number());
    }
  }
  void MasterDecidedForScheduler(const Wire& wire, const model::SchedulerEvent& event) override {
    if (const auto* subscribed = std::get_if<model::Subscribed>(&event)) {
      if (hostile_.count(wire.number()) > 0) return;
      const int64_t timeout_ms = timeouts_[wire.number()];
      timeout_of_[subscribed->framework] = timeout_ms > 0 ? timeout_ms : int64_t{7} * 86'400'000;
    } else if (const auto* status = std::get_if<model::TaskStatus>(&event)) {
      const model::FrameworkId owner = streams().OwnerOf(status->attempt);
      if (!owner.empty() && owner != streams().FrameworkOn(wire)) {
        Violation("F3: ", streams().FrameworkOn(wire).value(), " is told of task ",
                  status->task.value(), " of ", owner.value());
      }
    }
  }
  void MasterToldScheduler(const Wire& wire, const model::SchedulerEvent& event) override {
    const auto* subscribed = std::get_if<model::Subscribed>(&event);
    if (subscribed == nullptr) return;
    confirmed_.insert(wire.number());
    if (OfLeader(wire)) last_seen_[subscribed->framework] = world().now();
  }
  void MasterDecidedForAgent(const Wire& wire, const model::AgentOrder& order) override {
    const auto* end = std::get_if<model::EndFramework>(&order);
    if (end == nullptr || !OfLeader(wire) || may_end_.count(end->framework) > 0) return;
    const auto timeout = timeout_of_.find(end->framework);
    if (timeout == timeout_of_.end()) return;
    const int64_t away_ms = world().now() - last_seen_[end->framework];
    // Clocks drift by a thousandth at most.
    if (away_ms < timeout->second - timeout->second / 500 - 100) {
      Violation("F2: the tasks of ", end->framework.value(), " are ended ", away_ms,
                " ms after it was heard last; it may be away for ", timeout->second, " ms");
    }
    may_end_.insert(end->framework);
  }

 private:
  std::set<uint64_t> hostile_;            // Streams; users have names of two letters.
  std::set<uint64_t> confirmed_;          // Streams.
  std::map<uint64_t, int64_t> timeouts_;  // By stream.
  std::map<model::FrameworkId, int64_t> timeout_of_;
  std::map<model::FrameworkId, Time> last_seen_;
  std::set<model::FrameworkId> may_end_;
};

}  // namespace proffer::sim
