// Lets faults happen, as the weather says, until it is told to stop.
#pragma once

#include <array>
#include <functional>

#include "sim/cluster.h"

namespace proffer::sim {

class Faults {
 public:
  Faults(Cluster* cluster, Time until) : cluster_(cluster), until_(until) {}

  void Begin();
  // How often each kind has happened.
  const std::array<int64_t, kFaults>& counts() const { return counts_; }
  int64_t total() const;

 private:
  void Every(Fault fault, std::function<void()> what);
  void OfNetwork();
  void OfMasters();
  void OfAgents();
  void OfFrameworks();
  // Two hosts that talk to each other: a master and somebody else.
  std::pair<Host, Host> AnyLink();
  MasterNode& AnyMaster();
  AgentNode& AnyAgent();
  FrameworkNode& AnyFramework();

  Cluster* const cluster_;
  const Time until_;
  std::array<int64_t, kFaults> counts_ = {};
};

}  // namespace proffer::sim
