// Points in time as the cores see them: milliseconds of CLOCK_BOOTTIME, handed in, never read.
//
// Durations are plain int64_t milliseconds whose names end in `_ms`. Only shells read a clock
// (common/base/clock.h); within one turn of a core the time is constant.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <ostream>

namespace proffer {

struct Time {
  int64_t ms = 0;

  static constexpr Time Never() { return Time{std::numeric_limits<int64_t>::max()}; }
  constexpr bool IsNever() const { return ms == std::numeric_limits<int64_t>::max(); }

  friend constexpr auto operator<=>(Time, Time) = default;
  // Saturates at Never, so that "forever" survives arithmetic.
  friend constexpr Time operator+(Time t, int64_t delta_ms) {
    const bool too_far = delta_ms > 0 && t.ms > std::numeric_limits<int64_t>::max() - delta_ms;
    if (t.IsNever() || too_far) return Never();
    return Time{t.ms + delta_ms};
  }
  friend constexpr int64_t operator-(Time a, Time b) { return a.ms - b.ms; }
  friend std::ostream& operator<<(std::ostream& os, Time t) {
    return t.IsNever() ? os << "never" : os << t.ms << "ms";
  }
};

}  // namespace proffer
