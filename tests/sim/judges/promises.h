// What was promised is not forgotten on the way. T10: a kill is repeated to an agent that comes
// back, and by a scheduler on its next stream. F2: an agent that comes back with tasks of a
// framework that is no more is told to end them. S4: the intent is stored before the launch is
// asked for, and S1: removed before its end is acknowledged. T7: an end is in the user's book
// before it is acknowledged.
#pragma once

#include <map>
#include <set>
#include <string>

#include "sim/cluster.h"
#include "sim/judges/judge.h"

namespace proffer::sim {

class Promises final : public Judge {
 public:
  Promises(World* world, const Truth* truth, const Streams* streams,
           const std::vector<std::unique_ptr<User>>* users)
      : Judge(world, truth, streams), users_(users) {}

  void Committed(uint64_t epoch, const Mutation& mutation) override;
  void EpochRaised(uint64_t epoch) override { killed_.clear(); }
  void MasterHeardAgent(const Wire& wire, const model::AgentMessage& message) override;
  void MasterDecidedForAgent(const Wire& wire, const model::AgentOrder& order) override;
  void SchedulerTold(const std::string& node, const Wire& wire,
                     const model::SchedulerCall& call) override;
  void SchedulerHeard(const std::string& node, const Wire& wire,
                      const model::SchedulerEvent& event) override;
  void SchedulerDied(const std::string& node) override;
  void Healed() override { healed_ = true; }

 private:
  // What an agent has reported, and what it was told, until it is registered.
  struct Registration {
    std::map<model::AttemptId, model::FrameworkId> live;
    std::set<model::AttemptId> kills;
    std::set<model::FrameworkId> ends;
  };
  struct Kill {
    uint64_t wire = 0;         // On which it was said last.
    Time due = Time::Never();  // When it must have been said on the present one.
  };
  // Null: not one of the users.
  const User* UserOf(const std::string& node) const;

  const std::vector<std::unique_ptr<User>>* const users_;
  std::set<model::FrameworkId> removed_;
  std::set<model::AttemptId> killed_;  // By order of the present leader.
  std::map<uint64_t, Registration> registrations_;
  std::map<std::pair<std::string, model::TaskId>, Kill> kills_;  // By node.
  // Ends that are the task's own, by attempt and number; and the launch's intent.
  std::map<std::pair<model::AttemptId, uint64_t>, std::pair<model::TaskId, std::string>> own_ends_;
  bool healed_ = false;
};

}  // namespace proffer::sim
