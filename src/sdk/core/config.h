// What a scheduler's core is told at its start, and the bounds it works within.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/limits.h"
#include "common/model/scheduler_protocol.h"
#include "sdk/core/saved_state.h"

namespace proffer::sdk {

// What to do when the master says that the framework's id is no longer valid: it was torn down or
// failed over too late. In another cluster than its own it stops in any case.
enum class OnRemoved {
  kFail,   // Stop with an error.
  kNewId,  // Forget the id and all tasks, which are told as ended, and begin as a new framework.
};

struct Config {
  model::FrameworkInfo framework;             // Its id is taken from `saved` if there is one.
  std::vector<std::string> suppressed_roles;  // From the start on.
  SavedState saved;                           // What the former life of this scheduler has left.
  uint64_t seed = 0;                          // From the kernel in production; fixed in simulation.
  OnRemoved on_removed = OnRemoved::kFail;

  // The n-th attempt in a row to connect waits a random time below reconnect_min_ms * 2^(n-1),
  // at most reconnect_max_ms; the first does not wait.
  int64_t reconnect_min_ms = 100;
  int64_t reconnect_max_ms = 10'000;
  int64_t greeting_timeout_ms =
      limits::kGreetingMs;            // Of a new connection; grows (common/base/patience.h).
  int64_t hello_timeout_ms = 15'000;  // From the stream's begin to `subscribed`; grows too.
  int64_t give_up_after_ms = 0;       // Without being subscribed, in a row. 0: never.
  // An offer that its holder neither used nor declined for so long is declined for it.
  int64_t offer_hold_ms = 60'000;
  // Between questions about tasks that a new leader cannot know yet.
  int64_t reconcile_min_ms = 500;
  int64_t reconcile_max_ms = 10'000;
};

}  // namespace proffer::sdk
