// How long a thread keeps a processor while another waits for it. What share of the time it gets in
// the long run is not affected.
#pragma once

#include <cstdint>

namespace proffer {

// From now on this thread, those that it starts and the processes that it forks ask for turns of
// that length, 0.1 to 100 ms, instead of the 3 ms and more that a kernel gives by itself. Linux
// knows of it since 6.12 (the custom slices of its EEVDF scheduler); before, nothing changes. Good
// for the moment between fork and exec: system calls only.
void TakeTurnsOf(int64_t ns);

}  // namespace proffer
