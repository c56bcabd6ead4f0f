// What the machine has, read once at the start.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "proffer/resources.h"

namespace proffer::agent {

// All processors; memory less 1 GiB for the system (half, below 2 GiB); the same of the file
// system of `work_dir` with 5 GiB (half, below 10 GiB); ports 31000-31999.
absl::StatusOr<Resources> DetectResources(const std::string& work_dir);
absl::StatusOr<std::string> ReadBootId();
std::string Hostname();

}  // namespace proffer::agent
