// The machine's clocks. For shells only: the tidy test keeps it out of every core.
#pragma once

#include <ctime>

#include "common/base/time.h"

namespace proffer {

// CLOCK_BOOTTIME, which goes on while the machine is suspended and never goes back.
inline Time BootTimeNow() {
  timespec ts;
  clock_gettime(CLOCK_BOOTTIME, &ts);
  return Time{ts.tv_sec * int64_t{1000} + ts.tv_nsec / 1000000};
}

// Nanoseconds of the same clock, for latency figures.
inline int64_t BootTimeNanos() {
  timespec ts;
  clock_gettime(CLOCK_BOOTTIME, &ts);
  return ts.tv_sec * int64_t{1000000000} + ts.tv_nsec;
}

// Wall time in milliseconds since 1970. Informational only: nothing is decided by it.
inline int64_t UnixNowMs() {
  timespec ts;
  clock_gettime(CLOCK_REALTIME, &ts);
  return ts.tv_sec * int64_t{1000} + ts.tv_nsec / 1000000;
}

}  // namespace proffer
