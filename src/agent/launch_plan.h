// From a launch order to the plan that the launcher carries out. Pure but for what it is told.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/command_spec.h"
#include "common/model/agent_protocol.h"
#include "isolator/isolator.h"
#include "isolator/launch_plan.h"

namespace proffer::agent {

struct PlanContext {
  std::string host;  // Told to tasks as HOST.
  model::AgentId agent;
  std::string run_dir;
  std::string sandbox;
  uint64_t log_file_bytes = 0;
  uint32_t log_files = 1;
  int64_t kill_grace_ms = 0;  // Of tasks that do not say.
  bool cpu_quota = false;     // Of tasks that do not say: a hard limit at what was accepted.
  int64_t pids_limit = 0;     // Of tasks that do not say.
};

inline constexpr char kTaskPath[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

absl::StatusOr<isolator::LaunchPlan> MakePlan(const model::LaunchTask& order,
                                              const CommandSpec& command,
                                              const isolator::UserNeed& user,
                                              const isolator::MachineFacts& facts,
                                              const PlanContext& context);

}  // namespace proffer::agent
