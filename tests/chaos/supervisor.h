// Starts daemons, again when they end, and does to them what faults ask for. Process 1 of its
// process namespace: it reaps whoever else ends, too.
//
// THREAD: one.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/base/time.h"

namespace proffer::chaos {

class Supervisor {
 public:
  // Output of the daemons goes to files there, NAME.log.
  explicit Supervisor(std::string logs) : logs_(std::move(logs)) {}

  // Started now.
  void Add(const std::string& name, std::vector<std::string> words);

  // SIGKILL; started again when Restart is called as often as Kill was.
  void Kill(const std::string& name);
  void Restart(const std::string& name);
  // SIGSTOP, and SIGCONT when Thaw is called as often as Freeze was. One that is started meanwhile
  // is not frozen.
  void Freeze(const std::string& name);
  void Thaw(const std::string& name);
  // All are thawed and started again.
  void Heal();
  // SIGKILL to all, for good.
  void KillAll();

  // Reaps, and starts again who has ended by itself. To be called often.
  void Tick(Time now);

  std::set<pid_t> pids() const;
  // 0: it is not there now.
  pid_t pid(const std::string& name) const { return daemons_.at(name).pid; }
  // How often one of those whose names begin so has ended by itself, with which status as from
  // waitpid.
  std::map<int, int> EndsOf(const std::string& prefix) const;

 private:
  struct Daemon {
    std::vector<std::string> words;
    pid_t pid = 0;
    int kills = 0;    // That want it dead.
    int freezes = 0;  // That want it still.
    bool killed = false;
    Time start_at;
    std::map<int, int> ends;
  };
  void Start(const std::string& name, Daemon* daemon) const;

  const std::string logs_;
  std::map<std::string, Daemon> daemons_;
  bool ending_ = false;
};

}  // namespace proffer::chaos
