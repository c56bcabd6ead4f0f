// The tables of a master and the means to act, in one place: what the files of this folder work
// on. Core owns the only one.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "allocator/allocator.h"
#include "common/base/prng.h"
#include "common/base/time.h"
#include "master/core/agents.h"
#include "master/core/config.h"
#include "master/core/effects.h"
#include "master/core/frameworks.h"
#include "master/core/offers.h"
#include "master/core/timers.h"

namespace proffer::master {

// The names that the allocator knows for good. It has room for few kinds of resource, and no name
// of a role is ever forgotten, so what outsiders may add is bounded.
struct KnownNames {
  std::set<std::string> kinds_of_agents = {kCpus, kMem, kDisk, kGpus, kPorts};
  std::set<std::string> kinds_of_demand;  // That no agent has told of.
  std::set<std::string> roles;
};

// What changed in this turn, so that readers get one delta an object and turn.
struct Touched {
  std::set<model::AgentId> agents;
  std::set<model::FrameworkId> frameworks;
  std::set<std::pair<model::FrameworkId, TaskRowKey>> tasks;
  std::set<model::OfferId> offers;
  std::vector<Delta> removed;  // Pictures of what is no more.
  bool shares = false;         // The shares of roles.
};

struct World {
  World(const Config& config, allocator::Options options);

  const Config config;
  Prng prng;
  allocator::Allocator allocator;
  Agents agents;
  Frameworks frameworks;
  Offers offers;
  Timers timers;
  KnownNames names;

  // Of the present turn.
  Time now;
  int64_t unix_ms = 0;
  Effects* out = nullptr;
  Touched touched;

  uint64_t last_seq = 0;  // Of the newest record.
  uint64_t last_offer = 0;
  uint64_t last_attempt = 0;
  std::set<model::FrameworkId> ending;  // Frameworks that were torn down and have tasks.
  // Declared unreachable lately, for the limit per minute.
  int64_t unreachable_in_minute = 0;
  Time minute_began;
  bool valve_is_shut = false;  // As was noted last.
  bool many_missing = false;   // As was counted last.
  Time missing_counted_at{INT64_MIN / 2};

  // Writes a record; the number that what depends on it must wait for.
  uint64_t Write(Record record);
  void Note(std::string line) { out->notes.push_back(std::move(line)); }

  // Sends when the peer is connected; else nothing happens.
  void Tell(const Agent& agent, model::AgentOrder order, uint64_t after_seq = 0);
  void Tell(const Framework& framework, model::SchedulerEvent event, uint64_t after_seq = 0);
  // The answer to a call; calls with id 0 want none.
  void Answer(const Framework& framework, uint64_t call_id,
              std::vector<model::CallResult::Item> items, uint64_t after_seq = 0);
  void Answer(const Framework& framework, uint64_t call_id, model::Outcome outcome,
              uint64_t after_seq = 0);

  // Readers are shown the object at the end of the turn.
  void Touch(const Agent& agent) { touched.agents.insert(agent.id); }
  void Touch(const Framework& framework) { touched.frameworks.insert(framework.id()); }
  void Touch(const Task& task) {
    touched.tasks.insert({task.key.framework, {task.key.task, task.attempt}});
  }
  void Touch(const Offer& offer) { touched.offers.insert(offer.id); }
  void Removed(View view) { touched.removed.push_back({0, std::move(view), true}); }
};

// Turns what was touched into deltas.
void EmitDeltas(World& world);

}  // namespace proffer::master
