// What operators ask of the master; reads are served elsewhere, from the projection.
#pragma once

#include "master/core/events.h"

namespace proffer::master {

struct World;

void OperatorAskedFor(World& world, const OperatorAsked& asked);

}  // namespace proffer::master
