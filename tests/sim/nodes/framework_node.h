// A scheduler process in the simulated world: the real SDK core with its task queue, on behalf of a
// user who hands in tasks and writes down how they ended. Several processes may serve one user, as
// replicas of a scheduler do; the state store takes the word of the one that was started last.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sdk/core/framework_core.h"
#include "sim/nodes/master_node.h"
#include "sim/nodes/program.h"

namespace proffer::sim {

struct SimTask {
  Program program;
  Quantities shape;
  int64_t submit_after_ms = 0;  // From the start of the world.
  int64_t max_run_ms = 0;
  int64_t stop_after_disconnect_ms = 0;
  int64_t kill_grace_ms = 500;
};

// What outlives a scheduler's processes.
struct User {
  std::string name;
  std::string role;
  int64_t failover_timeout_ms = 0;
  std::vector<SimTask> tasks;
  // --- What they are like ---
  int64_t slowest_hand_ms = 5;  // Takes so long at most to write down what a status says.
  int64_t late_by_ms = 0;       // Looks for what is unfinished so long after a restart, at most.
  int64_t offer_hold_ms = sdk::Config().offer_hold_ms;

  std::map<std::string, std::string> saved;    // The state store.
  std::map<uint64_t, model::TaskState> ended;  // The user's own book, by handle.
  std::map<uint64_t, bool> kill_asked;
  bool tearing_down = false;
  bool torn_down = false;
  std::function<void()> on_end;  // Called when they learn of an end; may be empty.
  std::string owner_name;
  const void* owner = nullptr;  // The process that may write.

  bool done() const { return ended.size() == tasks.size(); }
};

class FrameworkNode final : public Process {
 public:
  FrameworkNode(World* world, Network* network, Ensemble* ensemble, const Observers* observers,
                std::string name, User* user);

  const User& user() const { return *user_; }
  // Kills one of its unfinished tasks, if there is one.
  void KillOne();
  // Hands in a task that was added to the user's.
  void SubmitNow(uint64_t handle) { Submit(handle); }
  // Ends the framework in the cluster.
  void TearDown();

 private:
  void OnStart() override;
  void OnCrash() override;
  void Submit(uint64_t handle);
  void Kill(uint64_t handle);
  void Step(const sdk::Input& input);
  void CarryOut(sdk::Output& output);
  void Save(const sdk::Save& save);
  void Take(const sdk::Notice& notice);
  void Handled(uint64_t update);
  void Stopped(const sdk::Stop& stop);
  void ScheduleTick();
  void Connect();
  void Attach(std::shared_ptr<Wire> wire);

  Ensemble* const ensemble_;
  const Observers* const observers_;
  User* const user_;
  std::unique_ptr<sdk::FrameworkCore> core_;
  std::shared_ptr<Wire> wire_;
  uint64_t stream_ = 0;
  uint64_t last_stream_ = 0;
  uint64_t connects_ = 0;
  uint64_t alarm_ = 0;
  Time alarm_at_ = Time::Never();
  Time last_save_;
};

}  // namespace proffer::sim
