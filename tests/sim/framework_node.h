// A scheduler process in the simulated world: the real SDK core with its task queue, a user who
// submits tasks and hears how they ended, and a state store that survives crashes.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sdk/core/framework_core.h"
#include "sim/master_node.h"
#include "sim/witness.h"
#include "sim/world.h"

namespace proffer::sim {

struct SimTask {
  int64_t run_ms = 0;
  int exit_code = 0;
  Quantities shape;
};

class FrameworkNode {
 public:
  FrameworkNode(World* world, MasterNode* master, Witness* witness, std::string name,
                std::string role, std::vector<SimTask> tasks);

  void Start();
  void Crash();
  bool up() const { return core_ != nullptr; }

  // Kills one of its unfinished tasks, if there is one.
  void KillOne();
  // Everything submitted has ended, and was said to have been handled.
  bool done() const { return ended_.size() == tasks_.size(); }
  size_t ended() const { return ended_.size(); }
  size_t finished() const { return finished_; }
  // Ends the framework in the cluster.
  void TearDown();
  bool torn_down() const { return torn_down_; }

 private:
  void Step(const sdk::Input& input);
  void CarryOut(sdk::Output& output);
  void Take(const sdk::Notice& notice);
  void ScheduleTick();
  void Connect();

  World* const world_;
  MasterNode* const master_;
  Witness* const witness_;
  const std::string name_;
  const std::string role_;
  const std::vector<SimTask> tasks_;

  // The state store: durable entries.
  std::map<std::string, std::string> saved_;
  uint64_t life_ = 0;
  std::unique_ptr<sdk::FrameworkCore> core_;
  std::shared_ptr<Wire> wire_;
  uint64_t stream_ = 0;
  uint64_t last_stream_ = 0;
  uint64_t connects_ = 0;
  Time tick_at_ = Time::Never();
  Time last_save_;

  // What the user knows, as if written to a book of their own.
  std::map<uint64_t, model::TaskState> ended_;
  size_t finished_ = 0;
  std::map<uint64_t, bool> kill_asked_;
  bool tearing_down_ = false;
  bool torn_down_ = false;
};

}  // namespace proffer::sim
