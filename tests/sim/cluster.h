// A whole simulated cluster: who is in it, as drawn from the seed.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "sim/nodes/agent_node.h"
#include "sim/nodes/framework_node.h"
#include "sim/nodes/hostile_node.h"
#include "sim/nodes/master_node.h"
#include "sim/world/ensemble.h"
#include "sim/world/network.h"
#include "sim/world/observer.h"
#include "sim/world/world.h"

namespace proffer::sim {

struct Life {
  uint64_t seed = 1;
  int64_t trouble_ms = 0;            // How long faults last; 0: drawn.
  int agents = 0;                    // 0: drawn.
  std::array<bool, kFaults> faults;  // Those that may be drawn.
  bool own_checks = true;            // Those of the master's core, after each turn.

  Life() { faults.fill(true); }
};

class Cluster {
 public:
  explicit Cluster(const Life& life);

  World& world() { return world_; }
  Network& network() { return network_; }
  Ensemble& ensemble() { return *ensemble_; }
  Observers& observers() { return observers_; }
  std::vector<std::unique_ptr<MasterNode>>& masters() { return masters_; }
  std::vector<std::unique_ptr<AgentNode>>& agents() { return agents_; }
  std::vector<std::unique_ptr<User>>& users() { return users_; }
  std::vector<std::unique_ptr<FrameworkNode>>& frameworks() { return frameworks_; }
  std::vector<std::unique_ptr<HostileNode>>& hostiles() { return hostiles_; }
  const MasterNode::Options& master_options() const { return master_options_; }

  void Start();
  // The leader, if it is up; null otherwise.
  MasterNode* leader();
  // Another process for the same user, which takes over.
  void AddReplica(User* user);
  // The registry is emptied, and put back; every master is set up anew both times.
  void WipeRegistry();
  void RestoreRegistry();
  // What an agent may have.
  std::string DrawResources();
  // All that lasts is mended, everybody is awake.
  void Heal();
  // From now on an operator declares gone what will not come back.
  void WatchForLost();
  bool AllDone() const;
  void TearDown();
  bool AllTornDown() const;
  int64_t tasks() const;

 private:
  void AddUser(int number);

  World world_;
  Network network_;
  Observers observers_;
  std::unique_ptr<Ensemble> ensemble_;
  MasterNode::Options master_options_;
  std::vector<std::unique_ptr<MasterNode>> masters_;
  std::vector<std::unique_ptr<AgentNode>> agents_;
  std::vector<std::unique_ptr<User>> users_;
  std::vector<std::unique_ptr<FrameworkNode>> frameworks_;
  std::vector<std::unique_ptr<HostileNode>> hostiles_;
};

}  // namespace proffer::sim
