// What --explain_launch prints: how a task would be started on this machine, without starting it.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/runner.h"

namespace proffer::agent {

// `spec` is a proffer.v1.TaskSpec as JSON, or @ and the name of a file with one. Asks the launcher
// what it can do, and fails if none answers within a second.
absl::StatusOr<std::string> ExplainLaunch(const Runner::Options& options, const std::string& spec);

}  // namespace proffer::agent
