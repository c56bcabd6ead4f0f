// Dispatch of what schedulers say, and of what they say before they may.
#pragma once

#include "master/core/events.h"

namespace proffer::master {

struct World;

void SchedulerCalled(World& world, const SchedulerSaid& said);
void SchedulerCalledNonsense(World& world, const SchedulerSaidNonsense& said);

}  // namespace proffer::master
