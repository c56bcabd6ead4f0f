// What a task's payload says, decoded: the program to run.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace proffer::agent {

struct RlimitSpec {
  std::string kind;  // "nofile"
  uint64_t soft = 0;
  uint64_t hard = 0;
};

struct CommandSpec {
  std::vector<std::string> argv;
  std::vector<std::pair<std::string, std::string>> environment;
  std::string user;               // Empty: the agent's default.
  std::string working_directory;  // Empty: the sandbox. Else relative to it, or absolute.
  std::vector<RlimitSpec> limits;
};

}  // namespace proffer::agent
