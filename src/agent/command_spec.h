// What a task's payload says, decoded: the program to run.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "isolator/isolator.h"

namespace proffer::agent {

struct CommandSpec {
  std::vector<std::string> argv;
  std::vector<std::pair<std::string, std::string>> environment;
  std::string user;               // Empty: the agent's default.
  std::string working_directory;  // Empty: the sandbox. Else relative to it, or absolute.
  std::vector<isolator::RlimitNeed> limits;
  int64_t cpu_limit_milli = 0;  // 0: the agent's policy.
  int64_t pids_limit = 0;       // 0: the agent's policy.
  std::vector<std::string> capabilities;
};

}  // namespace proffer::agent
