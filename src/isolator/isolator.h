// An isolator plans before it acts: from what a task needs and what the machine can do it adds its
// part to the launch plan. Pure; what acts is the launcher (the apply side of this folder).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "isolator/cgroup/world.h"
#include "isolator/launch_plan.h"

namespace proffer::isolator {

struct RlimitNeed {
  std::string kind;  // The part after RLIMIT_, in lower case: "nofile".
  uint64_t soft = 0;
  uint64_t hard = 0;
};

struct UserNeed {
  std::string name;            // Empty: whoever the launcher is.
  bool switch_needed = false;  // It is somebody else than the launcher.
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::vector<uint32_t> groups;
};

struct TaskNeeds {
  int64_t cpu_milli = 0;        // Accepted, in thousandths of a processor.
  int64_t mem_bytes = 0;        // Accepted.
  int64_t cpu_quota_milli = 0;  // Never more processor than that; 0: no hard limit.
  int64_t pids = 0;             // Processes and threads; 0: no limit.
  std::vector<std::string> capabilities;
  std::vector<RlimitNeed> rlimits;
  UserNeed user;
};

// What the launcher of this machine can do.
struct MachineFacts {
  bool root = false;
  bool contained = false;  // It has cgroups and namespaces.
  std::string why_not;     // Why not, when it does not.
  CgroupWorld world;
  std::string cgroup_root;
};

// One concern.
struct Isolator {
  const char* name;
  absl::Status (*plan)(const TaskNeeds& needs, const MachineFacts& facts, LaunchPlan* plan);
  // What is counted or promised but not enforced here: half a sentence, or "".
  std::string (*not_enforced)(const MachineFacts& facts);
};

// All there are, in the order in which they plan.
extern const Isolator kCpuIsolator;         // cgroup/cpu.cc
extern const Isolator kMemoryIsolator;      // cgroup/memory.cc
extern const Isolator kPidsIsolator;        // cgroup/pids.cc
extern const Isolator kNamespaceIsolator;   // namespace/namespaces.cc
extern const Isolator kFilesystemIsolator;  // filesystem/filesystem.cc
extern const Isolator kRlimitIsolator;      // process/rlimits.cc
extern const Isolator kUserIsolator;        // process/user.cc
extern const Isolator kCapabilityIsolator;  // process/capabilities.cc

}  // namespace proffer::isolator
