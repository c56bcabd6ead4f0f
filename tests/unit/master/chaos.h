// Random conversations with a master core: agents and schedulers that mostly keep to the protocol,
// and sometimes say anything at all.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/base/prng.h"
#include "master/core/core.h"
#include "unit/master/peers.h"

namespace proffer::master {

class Chaos {
 public:
  explicit Chaos(uint64_t seed);

  // One turn of random events. Every sentence that does not hold is kept in `untrue`.
  void Step();
  // Everything ends: after it nothing of any agent is in anybody's hands.
  void EndAll();

  const std::vector<std::string>& untrue() const { return untrue_; }
  // Of all that was said so far: the same seed gives the same.
  uint64_t fingerprint() const { return fingerprint_; }
  int64_t offers_seen() const { return offers_seen_; }
  int64_t tasks_launched() const { return tasks_launched_; }
  const Core& core() const { return *core_; }

 private:
  void BeginCore();
  void Turn(const std::vector<Event>& events);
  void Judge(const std::vector<Event>& events, const Effects& effects);
  void JudgeCalls(const std::vector<Event>& events, const Effects& effects);
  void Remember(const Effects& effects);
  void Untrue(std::string sentence);
  void Advance();
  void FailOver();

  Event RandomEvent();
  Event AgentEvent();
  Event SchedulerEvent();
  Event OperatorEvent();
  model::SchedulerCall Call(StreamId stream);
  model::TaskStatus Status();
  model::TaskSummary Summary();
  Resources SomeResources(bool whole_agent);
  std::vector<std::string> SomeRoles();
  model::OfferId SomeOffer(StreamId stream);
  model::AttemptId SomeAttempt();
  model::TaskId SomeTask();
  model::AgentId SomeAgent();
  model::FrameworkId SomeFramework();
  // One of these, or something nobody knows.
  template <typename Id>
  Id Pick(const std::vector<Id>& known, Id garbage);

  Prng prng_;
  Config config_;
  Registry registry_;
  std::unique_ptr<Core> core_;
  Time now_{1};
  uint64_t last_seq_ = 0;
  StreamId last_stream_ = 0;
  std::vector<FakeAgent> agents_;
  std::vector<FakeScheduler> schedulers_;
  std::deque<Event> reactions_;
  std::set<StreamId> ended_;  // The core closed them.
  std::vector<model::OfferId> offers_;
  std::map<StreamId, std::vector<model::OfferId>> offers_of_;
  std::map<model::OfferId, Resources> offered_;
  std::vector<model::AttemptId> attempts_;
  std::vector<model::AgentId> agent_ids_;
  std::vector<model::FrameworkId> framework_ids_;
  std::vector<std::string> untrue_;
  uint64_t fingerprint_ = 14695981039346656037u;
  int64_t offers_seen_ = 0;
  int64_t tasks_launched_ = 0;
};

}  // namespace proffer::master
