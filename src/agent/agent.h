// The shell of an agent: owns the core, its thread, and everything around it, in the order in
// which they depend on each other.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/core/core.h"
#include "agent/data_link.h"
#include "agent/mail.h"
#include "agent/master_link.h"
#include "agent/metrics.h"
#include "agent/runner.h"
#include "common/base/outbox.h"
#include "common/base/store.h"
#include "common/base/watchdog.h"
#include "common/fs/store_writer.h"

namespace proffer::agent {

struct AgentOptions {
  std::shared_ptr<LeaderFinder> leader;
  Config core;
  Runner::Options runner;
  int64_t turn_warn_ms = 1'000;
  int64_t turn_fatal_ms = 30'000;
  // The core wants the process to end, with this reason. Called once, on the core's thread.
  std::function<void(const std::string& reason)> on_stop;
};

class Agent {
 public:
  // Recovers from the store and begins to look for the master. `store` outlives the agent.
  static absl::StatusOr<std::unique_ptr<Agent>> Start(AgentOptions options, Store* store);
  // Leaves tasks and their shims alone.
  ~Agent();

  const std::shared_ptr<AgentMetrics>& metrics() const { return metrics_; }

 private:
  // The three kinds of things that may have to wait for a record.
  using Item = std::variant<ContainerCommand, SendMessage, OpenDataConnection, Stop>;

  Agent(AgentOptions options, Store* store);

  void RunCore();
  void CarryOut(Effects& effects);
  void SendReady();
  void Carry(Item& item);
  bool IsLive(const model::TaskKey& key) const;
  v1::AgentUsage ReadUsage() const;
  // Keeps `live_` in step with what the core is told.
  void NoteLife(const Event& event);
  void Began(const model::AttemptId& attempt, const model::TaskKey& key);
  void Ended(const model::AttemptId& attempt);

  const AgentOptions options_;
  AgentMailbox mailbox_;
  const std::shared_ptr<AgentMetrics> metrics_ = std::make_shared<AgentMetrics>();
  std::unique_ptr<Runner> runner_;
  std::unique_ptr<MasterLink> link_;
  std::unique_ptr<DataLink> data_;

  // Of the core thread alone.
  Outbox<int, Item> outbox_;
  std::unique_ptr<Core> core_;
  Time connect_at_ = Time::Never();
  int64_t greeting_ms_ = 0;

  // Tasks that may still write, for readers of logs.
  mutable Mutex live_mutex_;
  std::map<model::AttemptId, model::TaskKey> live_ GUARDED_BY_MUTEX(live_mutex_);

  std::unique_ptr<StoreWriter> writer_;
  std::unique_ptr<Watchdog> watchdog_;
  std::thread core_thread_;
};

}  // namespace proffer::agent
