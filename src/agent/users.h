// Whom a task runs as.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "isolator/isolator.h"

namespace proffer::agent {

// Looks up `name`, or a number that stands for a user; empty: the agent's own. Fails if there is no
// such user. A switch is needed if it is not `launcher_uid`, as whom the launcher runs.
absl::StatusOr<isolator::UserNeed> ResolveUser(const std::string& name, uint32_t launcher_uid);

}  // namespace proffer::agent
