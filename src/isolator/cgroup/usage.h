// What a container uses, or has used, by its control groups.
#pragma once

#include <cstdint>
#include <string>

#include "isolator/cgroup/world.h"
#include "isolator/kernel.h"

namespace proffer::isolator {

struct CgroupUsage {
  uint64_t cpu_us = 0;  // Since it began.
  uint64_t memory_bytes = 0;
  uint64_t memory_peak_bytes = 0;   // 0: the kernel does not tell.
  uint64_t memory_limit_bytes = 0;  // 0: none.
  uint64_t pids = 0;
  uint64_t oom_kills = 0;  // Processes that the kernel has killed for want of memory.
};

// `group` is the path below every tree. False if there is no such group.
bool ReadCgroupUsage(Kernel& kernel, const CgroupWorld& world, const std::string& group,
                     CgroupUsage* usage);
// Only what is wanted of one that has ended: cpu_us, memory_peak_bytes, oom_kills.
CgroupUsage ReadFinalCgroupUsage(Kernel& kernel, const CgroupWorld& world,
                                 const std::string& group);
// Only the count of OOM kills; 0 if there is no such group.
uint64_t ReadOomKills(Kernel& kernel, const CgroupWorld& world, const std::string& group);

}  // namespace proffer::isolator
