// The names of enumerators, and the rules of identifiers.
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/model/ids.h"
#include "common/model/refusal.h"
#include "common/model/task.h"
#include "common/model/version.h"

namespace proffer::model {

absl::Status ValidateId(absl::string_view what, absl::string_view id) {
  if (id.empty()) return absl::InvalidArgumentError(absl::StrCat(what, " is empty; give one"));
  if (id.size() > limits::kIdBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        what, " has ", id.size(), " characters; at most ", limits::kIdBytes, " are allowed"));
  }
  for (char c : id) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-') {
      continue;
    }
    return absl::InvalidArgumentError(absl::StrCat(
        what, " contains a character other than A-Z, a-z, 0-9, '.', '_' and '-'; rename it"));
  }
  if (id == "." || id == "..") {
    return absl::InvalidArgumentError(absl::StrCat(what, " may not be \"", id, "\""));
  }
  return absl::OkStatus();
}

bool IsTerminal(TaskState state) {
  switch (state) {
    case TaskState::kFinished:
    case TaskState::kFailed:
    case TaskState::kKilled:
    case TaskState::kError:
    case TaskState::kDropped:
    case TaskState::kGone:
    case TaskState::kGoneByOperator:
      return true;
    case TaskState::kUnspecified:
    case TaskState::kStaging:
    case TaskState::kStarting:
    case TaskState::kRunning:
    case TaskState::kKilling:
    case TaskState::kUnreachable:
    case TaskState::kUnknown:
      return false;
  }
  return false;
}

absl::string_view TaskStateName(TaskState state) {
  static constexpr std::array<absl::string_view, kTaskStateMax + 1> kNames = {
      "UNSPECIFIED", "STAGING", "STARTING",         "RUNNING", "KILLING",
      "FINISHED",    "FAILED",  "KILLED",           "ERROR",   "DROPPED",
      "UNREACHABLE", "GONE",    "GONE_BY_OPERATOR", "UNKNOWN"};
  const int index = static_cast<int>(state);
  return index >= 0 && index <= kTaskStateMax ? kNames[index] : "UNSPECIFIED";
}

std::ostream& operator<<(std::ostream& os, TaskState state) { return os << TaskStateName(state); }

absl::string_view TaskReasonName(TaskReason reason) {
  switch (reason) {
    case TaskReason::kNone:
      return "";
    case TaskReason::kInvalidTask:
      return "INVALID_TASK";
    case TaskReason::kInvalidOffer:
      return "INVALID_OFFER";
    case TaskReason::kStaleResources:
      return "STALE_RESOURCES";
    case TaskReason::kAgentLostIt:
      return "AGENT_LOST_IT";
    case TaskReason::kAgentDisconnected:
      return "AGENT_DISCONNECTED";
    case TaskReason::kExited:
      return "EXITED";
    case TaskReason::kSignalled:
      return "SIGNALLED";
    case TaskReason::kLaunchFailed:
      return "LAUNCH_FAILED";
    case TaskReason::kMemoryLimit:
      return "MEMORY_LIMIT";
    case TaskReason::kMaxRunTime:
      return "MAX_RUN_TIME";
    case TaskReason::kShimLost:
      return "SHIM_LOST";
    case TaskReason::kAgentRebooted:
      return "AGENT_REBOOTED";
    case TaskReason::kKillRequested:
      return "KILL_REQUESTED";
    case TaskReason::kFrameworkRemoved:
      return "FRAMEWORK_REMOVED";
    case TaskReason::kDisconnectedTooLong:
      return "DISCONNECTED_TOO_LONG";
    case TaskReason::kReconciled:
      return "RECONCILED";
    case TaskReason::kAgentUnreachable:
      return "AGENT_UNREACHABLE";
    case TaskReason::kAgentReregistered:
      return "AGENT_REREGISTERED";
    case TaskReason::kAgentDeclaredGone:
      return "AGENT_DECLARED_GONE";
  }
  return "";
}

absl::string_view RefusalName(Refusal refusal) {
  static constexpr std::array<absl::string_view, kRefusalMax + 1> kNames = {"OK",
                                                                            "INVALID",
                                                                            "NOT_SUBSCRIBED",
                                                                            "UNAUTHORIZED",
                                                                            "STALE_OFFER",
                                                                            "FOREIGN_OFFER",
                                                                            "OFFERS_DISAGREE",
                                                                            "NOT_ENOUGH",
                                                                            "DUPLICATE_TASK",
                                                                            "UNKNOWN_TASK",
                                                                            "UNKNOWN_ROLE",
                                                                            "UNKNOWN_FRAMEWORK",
                                                                            "FRAMEWORK_REMOVED",
                                                                            "SUPERSEDED",
                                                                            "WRONG_CLUSTER",
                                                                            "STALE_EPOCH",
                                                                            "STALE_RESOURCES",
                                                                            "AGENT_GONE",
                                                                            "AGENT_UNAVAILABLE",
                                                                            "NOT_KNOWN_YET",
                                                                            "TOO_MANY",
                                                                            "UNSUPPORTED_VERSION",
                                                                            "NOT_LEADER",
                                                                            "TOO_SLOW",
                                                                            "WRONG_PRINCIPAL"};
  const int index = static_cast<int>(refusal);
  return index >= 0 && index <= kRefusalMax ? kNames[index] : "UNSPECIFIED";
}

Version ThisVersion() { return Version{0, 1, 0, {}}; }

bool Compatible(const Version& mine, const Version& theirs) {
  if (mine.major != theirs.major) return false;
  if (mine.major > 0) return true;
  return mine.minor <= theirs.minor + 1 && theirs.minor <= mine.minor + 1;
}

}  // namespace proffer::model
