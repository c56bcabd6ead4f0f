// The words for states and reasons.
#include "proffer/status.h"

#include "common/model/task.h"

namespace proffer {

absl::string_view Name(TaskState state) {
  return model::TaskStateName(static_cast<model::TaskState>(state));
}
absl::string_view Name(TaskReason reason) {
  return model::TaskReasonName(static_cast<model::TaskReason>(reason));
}
std::ostream& operator<<(std::ostream& os, TaskState state) { return os << Name(state); }
std::ostream& operator<<(std::ostream& os, TaskReason reason) { return os << Name(reason); }

}  // namespace proffer
