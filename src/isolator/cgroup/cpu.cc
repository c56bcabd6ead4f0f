// cpu: a share in proportion to what was accepted, and on request a hard limit.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "isolator/isolator.h"

namespace proffer::isolator {
namespace {

absl::Status Plan(const TaskNeeds& needs, const MachineFacts& facts, LaunchPlan* plan) {
  if (needs.cpu_quota_milli < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("the cpu limit must not be negative; found ", needs.cpu_quota_milli));
  }
  if (!facts.contained) return absl::OkStatus();
  const auto clamp = [](int64_t milli) {
    return static_cast<uint32_t>(std::clamp<int64_t>(milli, 0, 4'000'000));
  };
  plan->use_cgroups = true;
  // Nothing accepted: the least there is.
  plan->cgroup.cpu_milli = std::max(clamp(needs.cpu_milli), 1u);
  plan->cgroup.cpu_quota_milli = clamp(needs.cpu_quota_milli);
  return absl::OkStatus();
}

std::string NotEnforced(const MachineFacts& facts) { return facts.contained ? "" : "cpu"; }

}  // namespace

const Isolator kCpuIsolator = {"cgroup/cpu", Plan, NotEnforced};

}  // namespace proffer::isolator
