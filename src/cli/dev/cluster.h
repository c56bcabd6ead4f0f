// A whole cluster on this machine: a master, agents and their launchers as processes beside this
// one.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/dev/place.h"
#include "cli/dev/process.h"

namespace proffer::cli {

struct DevOptions {
  int agents = 3;
  std::string cpus;  // Of each agent; empty: all that the machine has.
  std::string mem;   // Of each agent; empty: an even part of the machine's.
  std::string keep;  // Where the state stays; empty: it is removed.
};

class DevCluster {
 public:
  // Starts everything and returns when all agents are connected. REQUIRES: SIGCHLD is blocked, and
  // so are the signals that shall stop it (Run).
  static absl::StatusOr<std::unique_ptr<DevCluster>> Start(const std::string& base,
                                                           const DevOptions& options,
                                                           std::vector<std::string>* removed);
  // Stops everything and removes everything but what is to be kept.
  ~DevCluster();

  // Until SIGINT, SIGTERM or SIGHUP. Starts daemons again that end by themselves and says so by
  // `say`.
  void Run(const std::function<void(const std::string&)>& say);

  const DevPlace& place() const { return claimed_->place(); }
  std::string master() const { return place().master(); }
  std::string logs() const { return place().state() + "/log"; }
  struct Agent {
    std::string name;
    std::string resources;
  };
  const std::vector<Agent>& agents() const { return agents_; }
  // What the launchers say of how tasks are kept apart: "containers: ..." or "process groups only:
  // ...".
  std::string isolation() const;

 private:
  struct Daemon {
    std::string name;
    std::vector<std::string> argv;
    ProcessStamp process;
    int64_t started_ms = 0;
    int early_ends = 0;  // In a row, soon after its start.
  };

  explicit DevCluster(std::unique_ptr<ClaimedPlace> claimed);
  absl::Status Plan(const DevOptions& options);
  absl::Status StartOne(Daemon* daemon, int stdout_fd);
  absl::Status WriteLauncherConfig(const std::string& agent, const std::string& state) const;
  absl::Status StartMaster();
  absl::Status StartAgents();
  // The one that ended, if any: an error with the end of its log.
  absl::Status CheckAllAlive();
  std::string EndOfLog(const std::string& name) const;
  void ReapAndRestart(const std::function<void(const std::string&)>& say);

  const std::unique_ptr<ClaimedPlace> claimed_;
  std::string programs_;  // The directory of our own program.
  std::vector<Agent> agents_;
  std::vector<Daemon> daemons_;  // The master first.
  int signals_ = -1;
  int master_output_ = -1;
};

}  // namespace proffer::cli
