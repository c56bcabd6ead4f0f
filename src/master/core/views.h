// Pictures of the master's objects for readers: what a delta carries whole. The projection turns
// them into the messages of the operator API.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/model/agent_protocol.h"
#include "common/model/scheduler_protocol.h"
#include "proffer/quantity.h"
#include "proffer/resources.h"

namespace proffer::master {

// The numbers are those of proffer.v1.AgentState.
enum class AgentState {
  kConnected = 1,
  kDisconnected = 2,
  kUnreachable = 3,
  kGone = 4,
  kRecovered = 5,
};

struct AgentView {
  model::AgentId id;
  AgentFacts facts;
  AgentState state = AgentState::kDisconnected;
  Resources total;
  Resources used;
  Resources offered;
  int64_t tasks = 0;
  uint64_t resources_generation = 0;
  std::string version;
};

struct FrameworkView {
  model::FrameworkInfo info;
  std::string principal;
  bool connected = false;
  bool removed = false;
  std::vector<std::string> suppressed_roles;
  int64_t offers = 0;
  int64_t live_tasks = 0;
  int64_t ended_tasks = 0;
  bool demand_declared = false;
  std::vector<model::Demand> demands;
};

struct TaskView {
  model::TaskKey key;
  std::string framework_name;
  std::string name;
  model::AttemptId attempt;
  model::AgentId agent;
  std::string hostname;
  std::string role;
  model::TaskState state = model::TaskState::kUnspecified;
  model::TaskReason reason = model::TaskReason::kNone;
  std::string message;
  Resources resources;
  std::optional<int32_t> exit_code;
  std::optional<int32_t> signal;
  int64_t launched_unix_ms = 0;
  int64_t running_unix_ms = 0;
  int64_t ended_unix_ms = 0;
  bool unacknowledged = false;
};

struct OfferView {
  model::OfferId id;
  model::FrameworkId framework;
  std::string framework_name;
  std::string role;
  model::AgentId agent;
  std::string hostname;
  Resources resources;
  int64_t made_unix_ms = 0;
};

struct RoleView {
  std::string role;
  int64_t weight_milli = 1000;
  int64_t share = 0;
  int64_t weighted_share = 0;
  Quantities held;
  int64_t frameworks = 0;
};

using View = std::variant<AgentView, FrameworkView, TaskView, OfferView, RoleView>;

}  // namespace proffer::master
