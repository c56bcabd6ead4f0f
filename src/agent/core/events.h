// What happens to an agent's core: past tense, in the order of the shell's mailbox.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "common/base/time.h"
#include "common/model/agent_protocol.h"
#include "common/model/ids.h"

namespace proffer::agent {

// --- The path to the master. The shell numbers its connections, counting up from 1. ---

// A connection asked for by effect Connect stands.
struct LinkUp {
  uint64_t link = 0;
};
// A connection ended, or (link 0) could not be made. Not told for one that the core dropped.
struct LinkDown {
  uint64_t link = 0;
  std::string reason;
};
// It is known anew who leads: there is no point in waiting longer before the next attempt.
struct LeaderFound {};
struct OrderReceived {
  uint64_t link = 0;
  Time received;  // When the last byte came in, not when its turn began.
  model::AgentOrder order;
};

// --- Containers. While the core recovers, the first of these about an attempt is the answer to
// RecoverContainer. ---

// The task's program runs.
struct ContainerStarted {
  model::AttemptId attempt;
  int64_t pid = 0;
};
// The program never ran and never will.
struct LaunchFailed {
  model::AttemptId attempt;
  std::string message;
};
// A kill overtook the launch: the program never ran and never will.
struct LaunchCancelled {
  model::AttemptId attempt;
};
// What ended a task, as its shim saw it: the first cause wins.
enum class EndCause {
  kItself = 0,
  kKilled = 1,
  kMaxRunTime = 2,
  kDisconnected = 3,
  kMemoryLimit = 4,
};
// Nothing of the container lives any more.
struct ContainerEnded {
  model::AttemptId attempt;
  EndCause cause = EndCause::kItself;
  std::optional<int32_t> exit_code;
  std::optional<int32_t> signal;
  // Of its control groups; 0 without.
  uint64_t cpu_us = 0;
  uint64_t memory_peak_bytes = 0;
  uint64_t memory_limit_bytes = 0;
};
// What watched over the task died without leaving an exit status.
struct ShimLost {
  model::AttemptId attempt;
};
// Answers RecoverContainer: no shim was ever started for that attempt on this boot.
struct NoTrace {
  model::AttemptId attempt;
};

// --- Other ---

// The wall clock was set: from now on it is the core's time plus this.
struct WallClockSet {
  int64_t offset_ms = 0;
};

using Event =
    std::variant<LinkUp, LinkDown, LeaderFound, OrderReceived, ContainerStarted, LaunchFailed,
                 LaunchCancelled, ContainerEnded, ShimLost, NoTrace, WallClockSet>;

}  // namespace proffer::agent
