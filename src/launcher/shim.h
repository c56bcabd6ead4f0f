// One container's shim: starts the task, watches over it, keeps its output and its end. A fork of
// the launcher, outside of the container; survives launcher and agent. Single-threaded.
#pragma once

#include <cstdint>
#include <string>

#include "isolator/cgroup/world.h"
#include "isolator/launch_plan.h"

namespace proffer::launcher {

struct ShimContext {
  isolator::CgroupWorld world;
  std::string cgroup_root;
  std::string devices;     // See isolator::PrepareDevices.
  uint64_t bounding = 0;   // The capabilities that exec can give.
  uint32_t agent_uid = 0;  // Who may talk to it and read what it leaves in the run directory.
};

// Lives as long as the container, and until the agent has taken in its end or has left. `agent` is
// the connection to the agent that asked for it.
void RunShim(const isolator::LaunchPlan& plan, const ShimContext& context, int agent);

}  // namespace proffer::launcher
