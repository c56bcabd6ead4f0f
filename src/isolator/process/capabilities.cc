// Capabilities: none but those asked for, and then only those the launcher's configuration allows.
#include "absl/strings/str_cat.h"
#include "isolator/isolator.h"
#include "isolator/process/capability.h"

namespace proffer::isolator {
namespace {

absl::Status Plan(const TaskNeeds& needs, const MachineFacts& facts, LaunchPlan* plan) {
  for (const std::string& name : needs.capabilities) {
    const int number = CapabilityNumber(name);
    if (number < 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "capability '", name, "' is unknown; expected a name like NET_BIND_SERVICE"));
    }
    plan->capabilities |= uint64_t{1} << number;
  }
  if (!facts.root && plan->capabilities != 0) {
    return absl::PermissionDeniedError(
        "the launcher does not run as root, so it has no capabilities to give");
  }
  plan->drop_capabilities = facts.root;
  return absl::OkStatus();
}

std::string NotEnforced(const MachineFacts&) { return ""; }

}  // namespace

const Isolator kCapabilityIsolator = {"capabilities", Plan, NotEnforced};

}  // namespace proffer::isolator
