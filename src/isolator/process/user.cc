// Who the task runs as.
#include "absl/strings/str_cat.h"
#include "isolator/isolator.h"

namespace proffer::isolator {
namespace {

absl::Status Plan(const TaskNeeds& needs, const MachineFacts& facts, LaunchPlan* plan) {
  const UserNeed& user = needs.user;
  if (user.switch_needed && !facts.root) {
    return absl::PermissionDeniedError(
        absl::StrCat("the launcher does not run as root, so it cannot run a task as user '",
                     user.name, "'; name no user, or run the launcher as root"));
  }
  plan->switch_user = user.switch_needed;
  plan->user = user.name;
  plan->uid = user.uid;
  plan->gid = user.gid;
  plan->groups = user.groups;
  return absl::OkStatus();
}

std::string NotEnforced(const MachineFacts&) { return ""; }

}  // namespace

const Isolator kUserIsolator = {"user", Plan, NotEnforced};

}  // namespace proffer::isolator
