#include "isolator/cgroup/writes.h"

#include <algorithm>

namespace proffer::isolator {
namespace {

constexpr uint64_t kPeriodUs = 100'000;
constexpr uint64_t kLeastQuotaUs = 1'000;

uint64_t QuotaUs(const CgroupLimits& limits) {
  return std::max(limits.cpu_quota_milli * (kPeriodUs / 1000), kLeastQuotaUs);
}

std::vector<CgroupWrite> WritesV2(const CgroupLimits& limits, const std::string& tree) {
  std::vector<CgroupWrite> writes;
  if (limits.cpu_milli > 0) {
    const uint64_t weight = std::clamp<uint64_t>(limits.cpu_milli / 10, 1, 10'000);
    writes.push_back({tree, "cpu.weight", std::to_string(weight)});
  }
  if (limits.cpu_quota_milli > 0) {
    writes.push_back(
        {tree, "cpu.max", std::to_string(QuotaUs(limits)) + " " + std::to_string(kPeriodUs)});
  }
  if (limits.memory_low_bytes > 0) {
    writes.push_back({tree, "memory.low", std::to_string(limits.memory_low_bytes)});
  }
  if (limits.memory_bytes > 0) {
    writes.push_back({tree, "memory.max", std::to_string(limits.memory_bytes)});
    writes.push_back({tree, "memory.swap.max", "0", true});
    writes.push_back({tree, "memory.oom.group", "1", true});
  }
  if (limits.pids > 0) writes.push_back({tree, "pids.max", std::to_string(limits.pids)});
  return writes;
}

}  // namespace

std::vector<CgroupWrite> WritesFor(const CgroupLimits& limits, const CgroupWorld& world) {
  if (world.kind == CgroupKind::kNone) return {};
  if (world.kind == CgroupKind::kV2) return WritesV2(limits, world.unified);
  std::vector<CgroupWrite> writes;
  if (limits.cpu_milli > 0) {
    const uint64_t shares = std::max<uint64_t>(uint64_t{limits.cpu_milli} * 1024 / 1000, 2);
    writes.push_back({world.cpu, "cpu.shares", std::to_string(shares)});
  }
  if (limits.cpu_quota_milli > 0) {
    writes.push_back({world.cpu, "cpu.cfs_period_us", std::to_string(kPeriodUs)});
    writes.push_back({world.cpu, "cpu.cfs_quota_us", std::to_string(QuotaUs(limits))});
  }
  if (limits.memory_low_bytes > 0) {
    writes.push_back(
        {world.memory, "memory.soft_limit_in_bytes", std::to_string(limits.memory_low_bytes)});
  }
  if (limits.memory_bytes > 0) {
    const std::string bytes = std::to_string(limits.memory_bytes);
    writes.push_back({world.memory, "memory.limit_in_bytes", bytes});
    // Memory and swap together, which may not be below memory alone. Off in many kernels.
    writes.push_back({world.memory, "memory.memsw.limit_in_bytes", bytes, true});
  }
  if (limits.pids > 0) writes.push_back({world.pids, "pids.max", std::to_string(limits.pids)});
  return writes;
}

}  // namespace proffer::isolator
