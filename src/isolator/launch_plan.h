// What is to be done to start one container: pure data, made by the isolators in the agent, checked
// and carried out by the launcher. It names limits and kinds of mounts, never a file of the kernel
// or a value to be written there, so that whoever makes the plan can ask for nothing else.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace proffer::isolator {

struct Rlimit {
  int32_t resource = 0;  // RLIMIT_*
  uint64_t soft = 0;
  uint64_t hard = 0;
};

// What the control groups enforce; 0: not limited.
struct CgroupLimits {
  uint32_t cpu_milli = 0;         // Accepted; shares are in this proportion when all are busy.
  uint32_t cpu_quota_milli = 0;   // Never more than that, per 100 ms.
  uint64_t memory_bytes = 0;      // Never more than that; no swap. An OOM kill ends the container.
  uint64_t memory_low_bytes = 0;  // Reclaimed last while the task uses less.
  uint32_t pids = 0;              // Processes and threads.
  friend bool operator==(const CgroupLimits&, const CgroupLimits&) = default;
};

// Bits of LaunchPlan::namespaces; frozen.
enum Namespace : uint32_t {
  kPidNamespace = 1,  // With an init of ours as process 1.
  kMountNamespace = 2,
  kIpcNamespace = 4,
  kUtsNamespace = 8,
  kCgroupNamespace = 16,
};
inline constexpr uint32_t kAllNamespaces = 31;

// Items of LaunchPlan::mounts, made in this order; frozen. All need kMountNamespace.
enum class Mount : uint8_t {
  kPrivateDev = 1,   // /dev with null, zero, full, random, urandom, tty, pts, shm and nothing else.
  kPrivateTmp = 2,   // /tmp and /var/tmp are a directory of the sandbox.
  kProc = 3,         // /proc of the pid namespace, with what concerns the machine masked.
  kReadOnlySys = 4,  // /sys cannot be written.
};

struct LaunchPlan {
  std::string name;     // Of the container, [A-Za-z0-9._-]{1,64}: its directories and cgroups.
  std::string run_dir;  // Absolute; exists.
  std::string sandbox;  // Absolute; exists.
  std::vector<std::string> argv;
  std::vector<std::string> environment;  // "NAME=value".
  std::string working_directory;         // Absolute.
  std::string path;                      // Where argv[0] is looked for if it has no slash.

  bool switch_user = false;
  std::string user;  // Its name, for messages.
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::vector<uint32_t> groups;
  std::vector<Rlimit> rlimits;
  bool drop_capabilities = false;
  uint64_t capabilities = 0;  // Bits by number: those that stay when the others are dropped.

  bool use_cgroups = false;
  CgroupLimits cgroup;
  uint32_t namespaces = 0;
  std::vector<Mount> mounts;

  uint64_t log_file_bytes = 0;           // A log file is rotated when it has that many.
  uint32_t log_files = 0;                // Kept, the newest included; at least 1.
  int64_t kill_grace_ms = 0;             // Of the ends that the shim itself decides.
  int64_t max_run_time_ms = 0;           // 0: none.
  int64_t stop_after_disconnect_ms = 0;  // Of silence of the agent; 0: never.
};

}  // namespace proffer::isolator
