// How long to wait for somebody who has let us wait in vain before.
#pragma once

#include <algorithm>
#include <cstdint>

namespace proffer {

// Twice as long each time, up to four times `ms`. When everybody comes to a master at once, it
// needs longer for all of them than one is ready to wait; with the same patience each time, most of
// what it did would be for those who had just gone, and it would never come to an end.
inline int64_t GrowingPatienceMs(int64_t ms, int failures) {
  return ms << std::clamp(failures, 0, 2);
}

}  // namespace proffer
