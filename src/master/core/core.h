// The master, as a function of events: agents come and go, frameworks ask, offers are made, tasks
// are launched. No thread, no clock, no socket, no disk.
//
// A turn:  BeginTurn(now), Step for every event that is there, EndTurn. EndTurn lets what is due
// happen, allocates once, and tells readers what changed. Effects of a turn belong together; the
// shell writes their records, and holds back what carries an `after_seq` until that record is
// durable.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "master/core/config.h"
#include "master/core/effects.h"
#include "master/core/events.h"
#include "master/core/records.h"

namespace proffer::master {

struct World;

// THREAD: one.
class Core {
 public:
  // Takes over a cluster as its registry describes it. Everything recovered is awaited from
  // `now` on; `effects` gets the first deltas.
  Core(const Config& config, const Registry& registry, Time now, int64_t unix_ms, Effects* effects);
  ~Core();

  // `now` never goes back. `unix_ms` is told to people only.
  void BeginTurn(Time now, int64_t unix_ms, Effects* effects);
  void Step(const Event& event);
  void EndTurn();

  // When the next turn should begin although nothing has happened.
  Time NextDeadline() const;

  // The sentence that does not hold, if one does not.
  absl::Status CheckInvariants() const;
  // For tests and the simulator, which judge from outside.
  const World& world() const { return *world_; }

 private:
  void HandleDue();

  std::unique_ptr<World> world_;
  Time planned_;  // When the present turn should have begun, at the latest.
};

}  // namespace proffer::master
