// pids: so many processes and threads and no more; a refused fork is the task's own affair.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "isolator/isolator.h"

namespace proffer::isolator {
namespace {

constexpr int64_t kMost = 1 << 22;

absl::Status Plan(const TaskNeeds& needs, const MachineFacts& facts, LaunchPlan* plan) {
  if (needs.pids < 0 || needs.pids > kMost) {
    return absl::InvalidArgumentError(
        absl::StrCat("the limit of processes must be 0 to ", kMost, "; found ", needs.pids));
  }
  if (!facts.contained || needs.pids == 0) return absl::OkStatus();
  plan->use_cgroups = true;
  // Init is one of them.
  plan->cgroup.pids = static_cast<uint32_t>(std::min(needs.pids + 1, kMost));
  return absl::OkStatus();
}

std::string NotEnforced(const MachineFacts& facts) {
  return facts.contained ? "" : "the number of processes";
}

}  // namespace

const Isolator kPidsIsolator = {"cgroup/pids", Plan, NotEnforced};

}  // namespace proffer::isolator
