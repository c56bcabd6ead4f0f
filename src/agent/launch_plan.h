// From a launch order to the plan that a shim carries out. Pure but for what it is told.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/command_spec.h"
#include "agent/core/effects.h"
#include "agent/users.h"
#include "shim/wire.h"

namespace proffer::agent {

struct PlanContext {
  std::string host;  // Told to tasks as HOST.
  std::string run_dir;
  std::string sandbox;
  uint64_t log_file_bytes = 0;
  uint32_t log_files = 1;
  int64_t kill_grace_ms = 0;  // Of tasks that do not say.
};

inline constexpr char kTaskPath[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

absl::StatusOr<shim::Plan> MakePlan(const LaunchContainer& launch, const CommandSpec& command,
                                    const TaskUser& user, const PlanContext& context);

}  // namespace proffer::agent
