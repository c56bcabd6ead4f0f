// Whether agents still live: pings, silence, and the words for it. Unreachable, gone and unknown
// are different things.
#pragma once

#include "master/core/events.h"

namespace proffer::master {

struct World;
struct Agent;

// Begins to ping a connected agent, and to count its silence.
void WatchLiveness(World& world, Agent& agent);
void AgentWasHeard(World& world, Agent& agent, Time received);
void PingDue(World& world, Agent& agent);
// Its silence has lasted long enough. Declares it unreachable, unless too many are missing at
// once or the limit per minute is reached; then asks again later.
void SilenceDue(World& world, Agent& agent);
// An operator declares it gone for ever; returns the record that says so.
uint64_t MarkGone(World& world, Agent& agent);
// The process itself was stopped for that long: nobody else is to blame for the silence.
void ForgiveSilence(World& world, int64_t gap_ms);

}  // namespace proffer::master
