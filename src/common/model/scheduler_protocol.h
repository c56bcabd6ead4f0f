// What a framework's scheduler and the master say to each other: proffer/v1/scheduler.proto in
// domain types. The comments of the proto are the specification.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/model/ids.h"
#include "common/model/offer.h"
#include "common/model/refusal.h"
#include "common/model/task.h"
#include "common/model/version.h"

namespace proffer::model {

struct FrameworkInfo {
  FrameworkId id;  // Empty: wants one.
  std::string name;
  std::vector<std::string> roles;
  int64_t failover_timeout_ms = 0;  // 0: one week.
  bool ephemeral = false;
  std::string web_url;
};

// --- Calls ---

struct Subscribe {
  Version version;
  FrameworkInfo framework;
  std::vector<std::string> suppressed_roles;
  uint64_t instance = 0;   // 0: not counted.
  std::string cluster_id;  // Empty: not known.
};
struct Accept {
  std::vector<OfferId> offers;
  std::vector<TaskSpec> tasks;
  std::optional<int64_t> refuse_ms;
};
struct Decline {
  std::vector<OfferId> offers;
  std::optional<int64_t> refuse_ms;
  DeclineReason reason = DeclineReason::kUnspecified;
};
struct Suppress {
  std::vector<std::string> roles;
};
struct Revive {
  std::vector<std::string> roles;
};
struct SetDemand {
  bool declared = false;
  std::vector<Demand> demands;
};
struct Kill {
  TaskId task;
  AttemptId attempt;  // Not valid: whichever lives.
  std::optional<int64_t> grace_ms;
};
struct Acknowledge {
  TaskId task;
  AgentId agent;
  AttemptId attempt;
  uint64_t sequence = 0;
};
struct Reconcile {
  struct Task {
    TaskId task;
    AgentId agent;
  };
  std::vector<Task> tasks;
};
struct UpdateFramework {
  std::vector<std::string> roles;
  int64_t failover_timeout_ms = 0;
  std::vector<std::string> suppressed_roles;
};
struct Teardown {};
struct HeartbeatAnswer {};

struct SchedulerCall {
  uint64_t call_id = 0;
  std::variant<std::monostate, Subscribe, Accept, Decline, Suppress, Revive, SetDemand, Kill,
               Acknowledge, Reconcile, UpdateFramework, Teardown, HeartbeatAnswer>
      call;  // monostate: an arm this build does not know.
};

// --- Events ---

struct Subscribed {
  Version version;
  FrameworkId framework;
  std::string cluster_id;
  uint64_t epoch = 0;
  int64_t heartbeat_ms = 0;
};
struct Offers {
  std::vector<Offer> offers;
};
struct Rescinded {
  std::vector<OfferId> offers;
  std::string reason;
};
struct CallResult {
  struct Item {
    std::string id;
    Outcome outcome;
    AttemptId attempt;
  };
  uint64_t call_id = 0;
  std::vector<Item> items;
};
struct Heartbeat {};
struct AgentChanged {
  enum class Change { kUnspecified = 0, kUnreachable = 1, kGone = 2, kBack = 3 };
  AgentId agent;
  Change change = Change::kUnspecified;
};
struct StreamError {
  Refusal refusal = Refusal::kNone;
  std::string message;
};

using SchedulerEvent = std::variant<std::monostate, Subscribed, Offers, Rescinded, TaskStatus,
                                    CallResult, Heartbeat, AgentChanged, StreamError>;

}  // namespace proffer::model
