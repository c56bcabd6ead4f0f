// Every truth that must hold between turns, each with its sentence. Tests and the simulator check
// all of them all the time.
#pragma once

#include "absl/status/status.h"

namespace proffer::master {

struct World;

// OK, or the sentence that is not true, with the object it is about.
absl::Status CheckInvariants(const World& world);

}  // namespace proffer::master
