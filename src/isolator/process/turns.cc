#include "isolator/process/turns.h"

#include <linux/types.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

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

// The kernel's struct sched_attr in its first form; the C library has none yet.
struct SchedulingAttributes {
  __u32 size;
  __u32 policy;
  __u64 flags;
  __s32 nice;
  __u32 priority;
  __u64 runtime_ns;
  __u64 deadline_ns;
  __u64 period_ns;
};

}  // namespace

int64_t TurnNs(uint32_t cpu_milli) {
  return std::clamp(kWholeNs * 1'000 / std::max<int64_t>(cpu_milli, 1), kShortestNs, kLongestNs);
}

void TakeTurnsOf(int64_t ns) {
  SchedulingAttributes attributes{};
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0) != 0) return;
  if (attributes.policy != SCHED_OTHER) return;  // Somebody has chosen otherwise.
  attributes.size = sizeof(attributes);
  attributes.flags = 0;
  attributes.runtime_ns = static_cast<__u64>(ns);
  syscall(SYS_sched_setattr, 0, &attributes, 0);
}

}  // namespace proffer::isolator
