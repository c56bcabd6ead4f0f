// Everything that can happen to a master, in the past tense.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "common/base/time.h"
#include "common/model/agent_protocol.h"
#include "common/model/scheduler_protocol.h"

namespace proffer::master {

// Names one connection; never used twice within an epoch. 0: none.
using StreamId = uint64_t;

struct AgentSaid {
  StreamId stream = 0;
  Time received;  // Stamped by the thread that read it.
  model::AgentMessage message;
};
struct AgentStreamClosed {
  StreamId stream = 0;
};

struct SchedulerSaid {
  StreamId stream = 0;
  std::string principal;
  model::SchedulerCall call;
};
// A call came that could not be understood; `message` says what was wrong with it.
struct SchedulerSaidNonsense {
  StreamId stream = 0;
  uint64_t call_id = 0;
  std::string message;
};
struct SchedulerStreamClosed {
  StreamId stream = 0;
};

// What operators ask for. Answered by one OperatorAnswer each.
struct KillTaskAsked {
  model::TaskKey key;
  std::optional<int64_t> grace_ms;
};
struct TeardownAsked {
  model::FrameworkId framework;
};
struct WeightAsked {
  std::string role;
  int64_t weight_milli = 0;
};
struct MarkGoneAsked {
  model::AgentId agent;
};
// Wants a copy of the allocator to explain with (effect ExplainBasis).
struct ExplainAsked {};
// A reader wants an agent's data connection opened.
struct DataAsked {
  model::AgentId agent;
};
struct OperatorAsked {
  uint64_t request = 0;
  std::variant<KillTaskAsked, TeardownAsked, WeightAsked, MarkGoneAsked, ExplainAsked, DataAsked>
      what;
};

using Event = std::variant<AgentSaid, AgentStreamClosed, SchedulerSaid, SchedulerSaidNonsense,
                           SchedulerStreamClosed, OperatorAsked>;

}  // namespace proffer::master
