// What happens to a scheduler's core: past tense, in the order of the shell's mailbox.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/base/time.h"
#include "common/model/scheduler_protocol.h"

namespace proffer::sdk {

// --- The stream to the master. The shell numbers its streams, counting up from 1. ---

// A stream asked for by effect Connect stands.
struct StreamUp {
  uint64_t stream = 0;
};
// A stream ended, or (stream 0) could not be made. Not told for one that the core dropped.
struct StreamDown {
  uint64_t stream = 0;
  std::string reason;
};
// It is known anew who leads: there is no point in waiting longer before the next attempt.
struct LeaderFound {};
struct EventReceived {
  uint64_t stream = 0;
  Time received;  // When the last byte came in, not when its turn began.
  model::SchedulerEvent event;
};

// --- The scheduler's own deeds ---

// The callback for update `number` (effects.h) returned: it may be acknowledged.
struct UpdateHandled {
  uint64_t number = 0;
};
// Everything up to Save `seq` is durable.
struct Saved {
  uint64_t seq = 0;
};

// A save failed, and none will succeed any more.
struct StoreFailed {
  std::string message;
};

// --- What the user asks for. `request` is any number of theirs; other than 0, it is answered by
// exactly one CallDone. ---

// Launches tasks on offers of one agent and role. A task without an intent id is given one; one
// that is given is of this launch alone. An id may be used again once its last end was handled.
struct AcceptAsked {
  uint64_t request = 0;
  model::Accept accept;
};
struct DeclineAsked {
  uint64_t request = 0;
  model::Decline decline;
};
// Kept over reconnections until the task has ended.
struct KillAsked {
  uint64_t request = 0;
  model::Kill kill;
};
// Kept over reconnections.
struct SuppressAsked {
  uint64_t request = 0;
  std::vector<std::string> roles;  // None: all.
};
struct ReviveAsked {
  uint64_t request = 0;
  std::vector<std::string> roles;  // None: all.
};
// Kept over reconnections.
struct DemandAsked {
  uint64_t request = 0;
  model::SetDemand demand;
};
struct ReconcileAsked {
  uint64_t request = 0;
  std::vector<model::Reconcile::Task> tasks;
};
// Kept over reconnections.
struct FrameworkUpdateAsked {
  uint64_t request = 0;
  std::vector<std::string> roles;
  int64_t failover_timeout_ms = 0;
};
// Ends the framework in the cluster, as soon as there is a stream; then the core stops.
struct TeardownAsked {};
// Stops this instance; tasks live on for the failover timeout.
struct LeaveAsked {};

using Event =
    std::variant<StreamUp, StreamDown, LeaderFound, EventReceived, UpdateHandled, Saved,
                 StoreFailed, AcceptAsked, DeclineAsked, KillAsked, SuppressAsked, ReviveAsked,
                 DemandAsked, ReconcileAsked, FrameworkUpdateAsked, TeardownAsked, LeaveAsked>;

}  // namespace proffer::sdk
