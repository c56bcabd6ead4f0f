// A proffer-launcher beside a test, with a configuration of its own.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace proffer::testing {

class LauncherProcess {
 public:
  struct Options {
    std::string directory;     // Socket, configuration and log lie here.
    std::string run_root;      // Of the agent.
    std::string sandbox_root;  // Of the agent.
    // Containers: cgroups below that name, which nobody else uses. Empty: posix.
    std::string cgroup_root;
    std::string users = "any";
    std::vector<std::string> settings;     // Further lines of the configuration.
    std::vector<std::string> environment;  // "NAME=value"
    std::string program = "proffer-launcher";
    std::string binaries;             // Where it lies; empty: in this build.
    uint32_t agent_uid = 0xffffffff;  // Default: ours.
  };

  // Listening when this returns.
  explicit LauncherProcess(Options options);
  // Ends it, its containers and their cgroups.
  ~LauncherProcess();

  void Start();
  // It is of another build from the next start on.
  void UseBinaries(const std::string& directory) { binaries_ = directory; }
  void Kill();  // SIGKILL; returns when it is gone.
  // Kill, and then kills what its containers have and removes their cgroups.
  void Clean();
  pid_t pid() const { return pid_; }
  std::string socket() const { return options_.directory + "/s"; }
  const std::string& cgroup_root() const { return options_.cgroup_root; }
  std::string log() const { return options_.directory + "/launcher.log"; }
  // Groups of containers that exist now, over all trees.
  std::vector<std::string> Groups() const;

 private:
  const Options options_;
  std::string binaries_;
  pid_t pid_ = 0;
};

// True if this machine and user can have containers; without `use_unified`, by v1 trees alone.
bool CanContain(bool use_unified);

}  // namespace proffer::testing
