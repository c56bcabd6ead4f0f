// memory: never more than was accepted, no swap.
#include <algorithm>

#include "isolator/isolator.h"

namespace proffer::isolator {
namespace {

// Below that hardly a program starts. As in Mesos.
constexpr int64_t kLeastBytes = 32 << 20;

absl::Status Plan(const TaskNeeds& needs, const MachineFacts& facts, LaunchPlan* plan) {
  if (!facts.contained) return absl::OkStatus();
  plan->use_cgroups = true;
  plan->cgroup.memory_bytes = static_cast<uint64_t>(std::max(needs.mem_bytes, kLeastBytes));
  // What was accepted is the task's own: others are reclaimed from first.
  plan->cgroup.memory_low_bytes = static_cast<uint64_t>(std::max<int64_t>(needs.mem_bytes, 0));
  return absl::OkStatus();
}

std::string NotEnforced(const MachineFacts& facts) { return facts.contained ? "" : "memory"; }

}  // namespace

const Isolator kMemoryIsolator = {"cgroup/memory", Plan, NotEnforced};

}  // namespace proffer::isolator
