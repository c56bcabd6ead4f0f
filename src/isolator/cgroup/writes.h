// Limits in the words of a kernel: which control files get which values.
#pragma once

#include <string>
#include <vector>

#include "isolator/cgroup/world.h"
#include "isolator/launch_plan.h"

namespace proffer::isolator {

struct CgroupWrite {
  std::string tree;  // The mount point of CgroupWorld.
  std::string file;
  std::string value;
  bool optional = false;  // The kernel may not have that file.
};

// In the order in which they must be written. Pure.
//   v1: cpu.shares = max(2, 1024 per cpu); v2: cpu.weight = 100 per cpu, 1 to 10,000 (both as in
//   Mesos). Quota: per 100 ms, at least 1 ms. Memory: soft limit or low, hard limit, no swap.
std::vector<CgroupWrite> WritesFor(const CgroupLimits& limits, const CgroupWorld& world);

}  // namespace proffer::isolator
