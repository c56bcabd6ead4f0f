// Whom a task runs as.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace proffer::agent {

struct TaskUser {
  std::string name;            // Empty: whoever the agent is.
  bool switch_needed = false;  // It is somebody else than the agent.
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::vector<uint32_t> groups;
};

// Looks up `name`, or a number that stands for a user. Fails if there is no such user, or if
// another user than the agent's is wanted and the agent is not root.
absl::StatusOr<TaskUser> ResolveUser(const std::string& name);

}  // namespace proffer::agent
