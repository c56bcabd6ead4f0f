// What a master core is told once, when it begins.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/limits.h"
#include "proffer/quantity.h"

namespace proffer::master {

struct Config {
  std::string cluster_id;
  uint64_t epoch = 0;  // Already raised and durable.
  uint64_t seed = 0;   // Of ids and of where allocation passes begin.

  int64_t ping_ms = 5'000;
  // Without a word for that long an agent is unreachable. Also how long a new leader waits for
  // agents that it only knows from the registry.
  int64_t unreachable_ms = 75'000;
  // Agents declared unreachable per minute; 0: no limit.
  int64_t unreachable_per_minute = 100;
  // When more than this share of the agents is missing at once, it is the network: nobody is
  // declared unreachable. Holds from `valve_min_agents` agents on.
  int64_t valve_percent = 30;
  int64_t valve_min_agents = 10;

  // When there are so many, those that are away longest and have no tasks end before their time.
  int max_frameworks = limits::kFrameworks;

  int64_t heartbeat_ms = 5'000;
  int statuses_per_heartbeat = limits::kStatusesPerHeartbeat;
  int64_t offer_timeout_ms = 120'000;
  int max_outstanding_offers = 50;  // Per framework, one agent's worth each.
  // A grant without declared demand holds at least one of these.
  std::vector<Quantities> minimum_allocatable = {{{kCpus, 10}}, {{kMem, 32 << 20}}};
};

}  // namespace proffer::master
