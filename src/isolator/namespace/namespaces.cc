// Namespaces: a task sees its own processes, mounts, ipc objects and cgroups, and nobody else's.
// The network is the machine's.
#include "isolator/isolator.h"

namespace proffer::isolator {
namespace {

absl::Status Plan(const TaskNeeds&, const MachineFacts& facts, LaunchPlan* plan) {
  if (facts.contained) plan->namespaces = kAllNamespaces;
  return absl::OkStatus();
}

std::string NotEnforced(const MachineFacts& facts) {
  return facts.contained ? "" : "a view of its own processes only";
}

}  // namespace

const Isolator kNamespaceIsolator = {"namespaces", Plan, NotEnforced};

}  // namespace proffer::isolator
