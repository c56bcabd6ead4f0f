// Does what a schedule says, when it says so.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "chaos/cluster.h"
#include "chaos/schedule.h"
#include "chaos/supervisor.h"

namespace proffer::chaos {

class FaultDriver {
 public:
  FaultDriver(std::vector<Fault> schedule, Cluster* cluster, Supervisor* supervisor);

  // Begins and ends what is due, so long after the faults began. False: all is over.
  bool Tick(int64_t now_ms);
  // Whatever still goes on ends.
  void Heal();

  // How many of each kind were done.
  const std::array<int, kFaultKinds>& done() const { return done_; }
  // What was done, and whom it met: for people.
  const std::vector<std::string>& story() const { return story_; }

 private:
  void Begin(Fault* fault);
  void End(const Fault& fault);
  void SetNetwork();
  void SetWeather();
  void SetClocks();

  std::vector<Fault> waiting_;  // The next one last.
  std::vector<Fault> active_;   // "leader" is resolved.
  Cluster* const cluster_;
  Supervisor* const supervisor_;
  std::array<int, kFaultKinds> done_{};
  std::vector<std::string> story_;
};

}  // namespace proffer::chaos
