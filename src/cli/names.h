// Names and unique prefixes instead of ids: which object somebody means.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proffer/v1/operator.pb.h"

namespace proffer::cli {

// The one object that `subject` names: by an exact name or id, else by a prefix of one that no
// other has. A task may be named "framework/task" too; of several attempts of a task the newest
// counts, a task that lives before one that has ended.
// NOT_FOUND, with the nearest name; FAILED_PRECONDITION, with the candidates.
absl::StatusOr<v1::Object> Resolve(const std::vector<v1::Object>& objects,
                                   const std::string& subject);

}  // namespace proffer::cli
