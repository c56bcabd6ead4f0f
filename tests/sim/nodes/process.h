// What all simulated processes have in common: a clock of their own, lives that end at any moment,
// pauses, and a supervisor that starts them again.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include "sim/world/network.h"
#include "sim/world/world.h"

namespace proffer::sim {

class Process {
 public:
  Process(World* world, Network* network, std::string name);
  virtual ~Process() = default;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  const std::string& name() const { return name_; }
  Host host() const { return host_; }
  bool up() const { return up_; }
  bool paused() const { return world_->now() < paused_until_; }

  void Start();
  // kill -9. Its supervisor starts it again after `restart_ms`; negative: somebody else will.
  void Crash(int64_t restart_ms);
  void Crash() { Crash(world_->prng().Between(1, 8'000)); }
  // Dies `steps` effects from now, wherever that is.
  void CrashAtStep(int steps) { steps_to_live_ = steps; }
  // Stands still; what comes meanwhile waits.
  void Pause(int64_t ms);
  // No more faults: awake, running, and not about to die.
  void Heal();
  // Never starts again by itself.
  void Retire();
  bool retired() const { return retired_; }

  // The next lives' clock runs so many parts of a million too fast.
  void SetDrift(int64_t ppm) { drift_ppm_ = ppm; }

 protected:
  // The process has a new life; every earlier callback is void.
  virtual void OnStart() = 0;
  virtual void OnCrash() = 0;
  virtual void OnPause(int64_t ms) {}

  World& world() { return *world_; }
  Network& network() { return *network_; }
  // CLOCK_BOOTTIME of its machine.
  Time Now() const;
  // The machine was restarted: its clock begins anew.
  void RestartClock();
  // In this life, when it is awake: at once, or when it wakes up, in order.
  void Soon(std::function<void()> what);
  // The same after so long by its own clock.
  void Later(int64_t local_ms, std::function<void()> what);
  // The same after so long in truth.
  void After(int64_t ms, std::function<void()> what);
  // A callback for others to call: does nothing once this life is over.
  std::function<void()> InThisLife(std::function<void()> what);
  // Between two effects: true if it has just died. What called must return at once.
  bool DiesHere();
  uint64_t life() const { return life_; }

 private:
  void Drain();

  World* const world_;
  Network* const network_;
  const std::string name_;
  const Host host_;
  bool up_ = false;
  bool retired_ = false;
  uint64_t life_ = 0;
  int steps_to_live_ = 0;  // 0: no end is set.
  Time paused_until_;
  std::deque<std::function<void()>> mail_;
  Time clock_zero_;  // True time at which its clock showed zero.
  int64_t drift_ppm_ = 0;
};

}  // namespace proffer::sim
