// The file system: the machine's, with /tmp and /dev of its own and without a hand on the kernel.
#include "isolator/isolator.h"

namespace proffer::isolator {
namespace {

absl::Status Plan(const TaskNeeds&, const MachineFacts& facts, LaunchPlan* plan) {
  if (!facts.contained) return absl::OkStatus();
  // /proc masks with the new /dev/null, so /dev comes first.
  plan->mounts = {Mount::kPrivateDev, Mount::kPrivateTmp, Mount::kProc, Mount::kReadOnlySys};
  return absl::OkStatus();
}

std::string NotEnforced(const MachineFacts& facts) {
  return facts.contained ? "" : "a /tmp of its own";
}

}  // namespace

const Isolator kFilesystemIsolator = {"filesystem", Plan, NotEnforced};

}  // namespace proffer::isolator
