// Limits of setrlimit(2), which every process of the task has for itself.
#include <sys/resource.h>

#include <map>

#include "absl/strings/str_cat.h"
#include "isolator/isolator.h"

namespace proffer::isolator {
namespace {

const std::map<std::string, int>& Numbers() {
  static const auto* const kNumbers = new std::map<std::string, int>{
      {"as", RLIMIT_AS},           {"core", RLIMIT_CORE},         {"cpu", RLIMIT_CPU},
      {"data", RLIMIT_DATA},       {"fsize", RLIMIT_FSIZE},       {"locks", RLIMIT_LOCKS},
      {"memlock", RLIMIT_MEMLOCK}, {"msgqueue", RLIMIT_MSGQUEUE}, {"nice", RLIMIT_NICE},
      {"nofile", RLIMIT_NOFILE},   {"nproc", RLIMIT_NPROC},       {"rss", RLIMIT_RSS},
      {"rtprio", RLIMIT_RTPRIO},   {"rttime", RLIMIT_RTTIME},     {"sigpending", RLIMIT_SIGPENDING},
      {"stack", RLIMIT_STACK}};
  return *kNumbers;
}

absl::Status Plan(const TaskNeeds& needs, const MachineFacts&, LaunchPlan* plan) {
  for (const RlimitNeed& limit : needs.rlimits) {
    const auto number = Numbers().find(limit.kind);
    if (number == Numbers().end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("resource limit '", limit.kind,
                       "' is unknown; expected the part of a limit's name after "
                       "RLIMIT_ in lower case, like nofile"));
    }
    if (limit.soft > limit.hard) {
      return absl::InvalidArgumentError(absl::StrCat("resource limit '", limit.kind, "': soft ",
                                                     limit.soft, " is above hard ", limit.hard));
    }
    plan->rlimits.push_back({number->second, limit.soft, limit.hard});
  }
  return absl::OkStatus();
}

std::string NotEnforced(const MachineFacts&) { return ""; }

}  // namespace

const Isolator kRlimitIsolator = {"rlimits", Plan, NotEnforced};

}  // namespace proffer::isolator
