#include "isolator/cgroup/usage.h"

#include <cstdlib>

namespace proffer::isolator {
namespace {

// "max" and what is not there are 0; so is v1's way to say unlimited.
uint64_t Number(Kernel& kernel, const std::string& path) {
  constexpr uint64_t kUnlimited = uint64_t{1} << 60;
  std::string text;
  if (kernel.Read(path, &text) != 0) return 0;
  const uint64_t value = strtoull(text.c_str(), nullptr, 10);
  return value >= kUnlimited ? 0 : value;
}

// The number after `key ` in a file of such lines.
uint64_t Keyed(Kernel& kernel, const std::string& path, const std::string& key) {
  std::string text;
  if (kernel.Read(path, &text) != 0) return 0;
  for (size_t at = 0; at < text.size();) {
    if (text.compare(at, key.size() + 1, key + " ") == 0) {
      return strtoull(text.c_str() + at + key.size() + 1, nullptr, 10);
    }
    const size_t end = text.find('\n', at);
    if (end == std::string::npos) break;
    at = end + 1;
  }
  return 0;
}

uint64_t CpuUs(Kernel& kernel, const CgroupWorld& world, const std::string& group) {
  // Every group of a v2 tree counts processor time, also where cpu is a controller of v1.
  if (!world.unified.empty()) {
    return Keyed(kernel, world.unified + "/" + group + "/cpu.stat", "usage_usec");
  }
  return Number(kernel, world.cpuacct + "/" + group + "/cpuacct.usage") / 1000;
}

uint64_t PeakBytes(Kernel& kernel, const CgroupWorld& world, const std::string& group) {
  if (world.kind == CgroupKind::kV2) {
    return Number(kernel, world.unified + "/" + group + "/memory.peak");
  }
  return Number(kernel, world.memory + "/" + group + "/memory.max_usage_in_bytes");
}

}  // namespace

CgroupUsage ReadFinalCgroupUsage(Kernel& kernel, const CgroupWorld& world,
                                 const std::string& group) {
  CgroupUsage usage;
  if (world.kind == CgroupKind::kNone) return usage;
  usage.cpu_us = CpuUs(kernel, world, group);
  usage.memory_peak_bytes = PeakBytes(kernel, world, group);
  usage.oom_kills = ReadOomKills(kernel, world, group);
  return usage;
}

uint64_t ReadOomKills(Kernel& kernel, const CgroupWorld& world, const std::string& group) {
  if (world.kind == CgroupKind::kNone) return 0;
  if (world.kind == CgroupKind::kV2) {
    return Keyed(kernel, world.unified + "/" + group + "/memory.events", "oom_kill");
  }
  return Keyed(kernel, world.memory + "/" + group + "/memory.oom_control", "oom_kill");
}

bool ReadCgroupUsage(Kernel& kernel, const CgroupWorld& world, const std::string& group,
                     CgroupUsage* usage) {
  *usage = {};
  if (world.kind == CgroupKind::kNone) return false;
  std::string unused;
  if (world.kind == CgroupKind::kV2) {
    const std::string base = world.unified + "/" + group;
    if (kernel.Read(base + "/cgroup.events", &unused) != 0) return false;
    usage->memory_bytes = Number(kernel, base + "/memory.current");
    usage->memory_limit_bytes = Number(kernel, base + "/memory.max");
    usage->pids = Number(kernel, base + "/pids.current");
  } else {
    if (kernel.Read(world.memory + "/" + group + "/memory.usage_in_bytes", &unused) != 0) {
      return false;
    }
    usage->memory_bytes = strtoull(unused.c_str(), nullptr, 10);
    usage->memory_limit_bytes =
        Number(kernel, world.memory + "/" + group + "/memory.limit_in_bytes");
    usage->pids = Number(kernel, world.pids + "/" + group + "/pids.current");
  }
  usage->cpu_us = CpuUs(kernel, world, group);
  usage->memory_peak_bytes = PeakBytes(kernel, world, group);
  usage->oom_kills = ReadOomKills(kernel, world, group);
  return true;
}

}  // namespace proffer::isolator
