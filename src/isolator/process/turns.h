// How long the turns of a container are (common/base/turns.h). What share of the time it gets in
// the long run is its cgroup's affair.
#pragma once

#include <cstdint>

namespace proffer::isolator {

// How long the turns are that a container asks for which has accepted so much of a processor: 0.7
// ms for a whole one, in inverse proportion for more and less (0.1 to 100 ms), instead of the 3 ms
// and more that a kernel gives by itself. Of two that want the same processor, the one with shorter
// turns need not wait until the turn of the other is over: the more one has accepted, the sooner it
// gets it.
int64_t TurnNs(uint32_t cpu_milli);

}  // namespace proffer::isolator
