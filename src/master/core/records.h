// The durable state of a master: one small record a fact, and what a set of them amounts to.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>

#include "common/model/agent_protocol.h"
#include "common/model/scheduler_protocol.h"

namespace proffer::master {

struct AgentRecord {
  enum class State { kAdmitted = 1, kUnreachable = 2, kGone = 3 };
  model::AgentId id;
  State state = State::kAdmitted;
  model::AgentInfo info;
};
struct FrameworkRecord {
  model::FrameworkInfo info;
  std::string principal;
  bool removed = false;
  int64_t disconnected_for_ms = 0;
  uint64_t instance = 0;  // The newest that has subscribed; 0: not counted.
};
struct WeightRecord {
  std::string role;
  int64_t weight_milli = 1000;
};
// The framework's record is no longer needed, not even to refuse its id.
struct FrameworkForgotten {
  model::FrameworkId id;
};

using Record = std::variant<AgentRecord, FrameworkRecord, WeightRecord, FrameworkForgotten>;

std::string KeyOf(const Record& record);

// What the records written so far amount to.
struct Registry {
  std::map<model::AgentId, AgentRecord> agents;
  std::map<model::FrameworkId, FrameworkRecord> frameworks;
  std::map<std::string, int64_t> weights;  // Thousandths, by role.

  void Apply(const Record& record);
};

}  // namespace proffer::master
