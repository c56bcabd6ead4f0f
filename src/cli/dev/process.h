// Processes as `proffer dev` needs them: starting daemons, knowing who is who although the kernel
// uses numbers again, and ending everything that belongs to a cluster.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace proffer::cli {

// A process for certain: its number and when it began, in the kernel's ticks since boot.
struct ProcessStamp {
  pid_t pid = 0;
  uint64_t start = 0;
};

// 0: no such process, or it has ended.
uint64_t StartOf(pid_t pid);
bool IsAlive(const ProcessStamp& stamp);
// "1234 567890" in a file; NOT_FOUND when there is none.
absl::Status WriteStamp(const std::string& path, const ProcessStamp& stamp);
absl::StatusOr<ProcessStamp> ReadStamp(const std::string& path);
// Signals it if it is still the same; false if not.
bool Signal(const ProcessStamp& stamp, int signal_number);
// Waits until it has ended; false when the time is over first.
bool WaitForEnd(const ProcessStamp& stamp, int64_t timeout_ms);

struct DaemonSpec {
  std::vector<std::string> argv;                                 // argv[0] is a path.
  std::vector<std::pair<std::string, std::string>> environment;  // Added to ours.
  std::string log_path;                                          // Of stderr; appended to.
  int stdout_fd = -1;                                            // -1: the log too.
};

// Starts a daemon that ends (SIGTERM) when the calling thread does, in a process group of its own,
// so that Ctrl-C on the terminal does not reach it.
absl::StatusOr<ProcessStamp> StartDaemon(const DaemonSpec& spec);

// What belongs to a cluster of `proffer dev`.
struct Belongings {
  std::string directory;               // PROFFER_DEV of its daemons; run directories of shims.
  std::vector<std::string> work_dirs;  // Of its agents: sandboxes of tasks lie in them.
};

// Kills daemons, tasks (SIGTERM, after `grace_ms` SIGKILL) and what watches over them, whoever
// started them. Returns how many there were. Told by marks that only they carry: the environment
// of daemons and tasks, the open files of shims, and descent from one of these.
int KillEverythingOf(const Belongings& belongings, int64_t grace_ms);

}  // namespace proffer::cli
