// The shell of a master: owns the core, its thread, and everything around it, in the order in
// which they depend on each other.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/outbox.h"
#include "common/base/store.h"
#include "common/base/watchdog.h"
#include "common/fs/store_writer.h"
#include "common/rpc/server.h"
#include "master/asking.h"
#include "master/core/core.h"
#include "master/data_hub.h"
#include "master/mail.h"
#include "master/metrics.h"
#include "master/operator_service.h"
#include "master/projection.h"
#include "master/registry.h"
#include "master/stream_services.h"
#include "master/streams.h"

namespace proffer::master {

struct MasterOptions {
  ClusterChoice cluster;
  uint64_t seed = 0;
  int64_t turn_warn_ms = 1'000;
  int64_t turn_fatal_ms = 30'000;
  rpc::ServerLimits limits;
  Config core;  // cluster_id, epoch and seed are filled in.
};

class Master {
 public:
  // Takes over the store and serves; until then whoever connects waits. `store` outlives the
  // master.
  static absl::StatusOr<std::unique_ptr<Master>> Start(MasterOptions options,
                                                       rpc::Listeners listeners, Store* store);
  ~Master();

  std::vector<rpc::Address> addresses() const { return server_->addresses(); }
  // What there is to scrape; collects nothing more once the master is gone.
  std::shared_ptr<MasterMetrics> metrics() const { return metrics_; }
  const std::string& cluster_id() const { return cluster_id_; }
  uint64_t epoch() const { return epoch_; }

 private:
  // Whom an outgoing item is for: a stream, or one of the two peers inside.
  using Peer = uint64_t;
  struct ToReaders {
    std::vector<Delta> deltas;
    int64_t unix_ms = 0;
  };
  using Item = std::variant<ToAgent, ToScheduler, ToReaders, OperatorAnswer>;

  Master(MasterOptions options, Store* store, TakenOver taken_over);

  void RunCore();
  // Records to the store, everything else to the outbox.
  void CarryOut(Effects& effects);
  void SendReady();
  void Send(ToAgent& item);
  void Send(ToScheduler& item);

  const std::string cluster_id_;
  const uint64_t epoch_;
  const auth::Principal principal_;

  MasterMailbox mailbox_;
  Streams streams_;
  Projection projection_;
  const std::shared_ptr<MasterMetrics> metrics_;
  Asking asking_;
  DataHub data_;
  SchedulerService scheduler_service_;
  AgentService agent_service_;
  OperatorService operator_service_;

  // Of the core thread alone.
  Outbox<Peer, Item> outbox_;
  std::unique_ptr<Core> core_;
  int64_t unix_ms_ = 0;

  std::unique_ptr<StoreWriter> writer_;
  std::unique_ptr<Watchdog> watchdog_;
  std::thread core_thread_;
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace proffer::master
