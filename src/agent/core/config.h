// What an agent's core is told once, when it is made.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/limits.h"
#include "common/model/agent_protocol.h"

namespace proffer::agent {

struct Config {
  model::AgentInfo info;
  std::string boot_id;
  uint64_t seed = 1;           // From the kernel.
  int64_t wall_offset_ms = 0;  // The wall clock minus the core's time, for people only.
  int64_t kill_grace_ms = limits::kKillGraceDefaultMs;  // Of tasks that do not say.
  int64_t greeting_timeout_ms =
      limits::kGreetingMs;              // Of a new connection; grows (common/base/patience.h).
  int64_t welcome_timeout_ms = 15'000;  // From LinkUp to the welcome; grows too.
  int64_t reconnect_min_ms = 100;       // Doubles with each failure, with jitter.
  int64_t reconnect_max_ms = 2'000;
  // Of a framework, sent and not acknowledged; the others wait.
  int most_updates_in_flight = limits::kUpdatesPerFrameworkAndAgent;
};

}  // namespace proffer::agent
