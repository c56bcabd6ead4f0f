// The launcher and the shims of one simulated machine. Each shim runs the real state machine and
// speaks the real frames; its program, its processes and its files are simulated. They live on when
// the agent dies, and die with the machine.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/model/agent_protocol.h"
#include "launcher/shim_machine.h"
#include "launcher/wire.h"
#include "sim/nodes/program.h"
#include "sim/world/observer.h"
#include "sim/world/world.h"

namespace proffer::sim {

class Shims {
 public:
  // One end of a shim's connection.
  struct Hearer {
    std::function<void(const launcher::Frame&)> on_frame;
    std::function<void()> on_closed;
  };
  // What an agent finds in an attempt's run directory.
  enum class Trace { kNone, kClaimed, kAlive, kExit, kDead };

  Shims(World* world, const Observers* observers, std::string machine);

  // --- The launcher ---
  bool launcher_up() const { return !launcher_down_; }
  // Forks a shim. `hearer` is its connection; it is closed without a word if the launcher dies
  // first.
  void Launch(std::shared_ptr<const model::LaunchTask> launch, Hearer hearer);
  // Kills what there is of it and removes its cgroups.
  void Destroy(const model::AttemptId& attempt, std::function<void()> done);

  // --- Run directories and sockets ---
  Trace Look(const model::AttemptId& attempt) const;
  launcher::Frame ReadExit(const model::AttemptId& attempt) const;
  bool Claim(const model::AttemptId& attempt);
  void Unclaim(const model::AttemptId& attempt);
  // False: nobody listens.
  bool Connect(const model::AttemptId& attempt, Hearer hearer);
  void Say(const model::AttemptId& attempt, launcher::Type type, const std::string& body);
  void RemoveRunDirectory(const model::AttemptId& attempt) { entries_.erase(attempt); }
  std::vector<model::AttemptId> RunDirectories() const;
  // The agent's end of every connection is gone.
  void AgentDied();

  // --- Faults ---
  void KillLauncher(int64_t down_ms);
  // kill -9 of one shim; its task dies with it.
  void KillOneShim();
  // The same for one that runs one of `attempts`, and its run directory is removed.
  void LoseRunDirectory(const std::set<model::AttemptId>& attempts);
  void Reboot();
  size_t living() const;
  void Heal() { launcher_down_ = false; }

 private:
  struct Shim {
    explicit Shim(launcher::Machine machine) : state(machine) {}
    launcher::Machine state;
    std::shared_ptr<const model::LaunchTask> launch;
    Program program;
    uint64_t number = 0;
    bool alive = true;     // The shim.
    bool running = false;  // The program.
    bool dying = false;
    bool out_of_memory = false;
    std::optional<Hearer> hearer;
    uint64_t connection = 0;
  };
  // A run directory.
  struct Entry {
    bool claimed = false;
    std::unique_ptr<Shim> shim;
    std::optional<launcher::Frame> exit;
  };

  Shim* Find(const model::AttemptId& attempt, uint64_t number);
  void Begin(const model::AttemptId& attempt, uint64_t number);
  // The program is no more.
  void ProgramEnded(Shim* shim, const TrueEnd& end);
  void Do(const model::AttemptId& attempt, uint64_t number, const launcher::Actions& actions);
  void Arm(const model::AttemptId& attempt, Shim* shim);
  void Tell(Shim* shim, launcher::Type type, const std::string& body);
  void KillShim(const model::AttemptId& attempt, Shim* shim, TrueEnd::Why why);
  void CloseConnection(Shim* shim);
  // Soon, as a local socket takes it.
  int64_t Moment() { return world_->prng().Between(0, 3); }

  World* const world_;
  const Observers* const observers_;
  const std::string machine_;
  bool launcher_down_ = false;
  uint64_t boot_ = 0;
  uint64_t launcher_life_ = 0;
  uint64_t agent_life_ = 0;
  uint64_t last_number_ = 0;
  std::map<model::AttemptId, Entry> entries_;
  // Said on connections whose shim is only being forked.
  std::map<model::AttemptId, std::vector<std::pair<launcher::Type, std::string>>> early_;
};

}  // namespace proffer::sim
