// The options of `proffer run` as a task of the SDK.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proffer/task.h"

namespace proffer::cli {

struct RunOptions {
  std::string cpus = "0.5";
  std::string mem = "256MiB";
  int64_t gpus = 0;
  int64_t ports = 0;
  double cpu_limit = 0;  // 0: none.
  int64_t pids = 0;      // 0: the agent's.
  std::vector<std::string> capabilities;
  std::string role;
  std::string name;
  std::vector<std::string> environment;  // "K=V", or "K" for our own value of it.
  std::string user;
  std::vector<std::string> on;  // Constraints.
  std::string timeout;
  bool detach = false;
  bool quiet = false;
};

// INVALID_ARGUMENT, with the option that is wrong. `environment_of` tells our own variables.
absl::StatusOr<Task> MakeTask(const RunOptions& options, const std::vector<std::string>& command,
                              const std::function<std::string(const char*)>& environment_of);

}  // namespace proffer::cli
