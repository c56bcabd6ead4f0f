#include "isolator/process/turns.h"

#include <algorithm>

namespace proffer::isolator {
namespace {

// Of one whole processor. Long enough that a request of some hundred microseconds is over before
// its turn is: with turns of 0.1 ms a neighbour that had slept lost the processor in the middle of
// its request, and waited for the next tick. Short beside the 3 ms of those who ask for nothing.
constexpr int64_t kWholeNs = 700'000;
// What the kernel allows.
constexpr int64_t kShortestNs = 100'000;
constexpr int64_t kLongestNs = 100'000'000;

}  // namespace

int64_t TurnNs(uint32_t cpu_milli) {
  return std::clamp(kWholeNs * 1'000 / std::max<int64_t>(cpu_milli, 1), kShortestNs, kLongestNs);
}

}  // namespace proffer::isolator
