// Frameworks that see offers: derive from Scheduler, hand it to a SchedulerDriver.
//
// The driver finds and keeps the master, acknowledges statuses after your callback returned,
// reconciles after each reconnection, writes intents before it launches, and knows when to stop.
// For frameworks that only want tasks run there is framework.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proffer/constraints.h"
#include "proffer/offer.h"
#include "proffer/options.h"
#include "proffer/quantity.h"
#include "proffer/status.h"

namespace proffer {

// The framework is subscribed.
struct Connected {
  std::string framework_id;
  std::string cluster_id;
  std::string master_version;
};

// What the master answered to one call of a SchedulerDriver.
struct CallAnswer {
  enum class Outcome {
    kAnswered,  // By the master: see the items.
    kNotSent,   // It never reached the master, and never will; the item says why.
    kUnknown,   // The connection broke first. Tasks are reconciled on the next one.
  };
  struct Item {
    std::string id;       // The task or offer; empty for the call as a whole.
    std::string refusal;  // Empty: ok. Else a word of proffer.v1.Refusal, as "STALE_OFFER".
    std::string message;  // What was expected, what was found, what to do.
  };
  uint64_t call = 0;
  Outcome outcome = Outcome::kAnswered;
  std::vector<Item> items;
};

enum class AgentChange { kUnknown = 0, kUnreachable = 1, kGone = 2, kBack = 3 };

// What a framework wants, `count` times: the master offers accordingly, and `proffer why` tells
// people about it.
struct Demand {
  std::string role;  // Empty: the framework's first.
  Quantities shape;
  int64_t count = 0;
  Constraints constraints;
  std::string label;
};

class SchedulerDriver;

// THREAD: all callbacks come on one thread of the driver's, one at a time. They may take their time
// and may call the driver, but not destroy it. Nothing is called after OnStopped.
class Scheduler {
 public:
  virtual ~Scheduler() = default;

  // Offers not launched upon when `offers` is destroyed are declined.
  virtual void OnOffers(Offers offers) = 0;
  // Acknowledged when this returns. Repetitions are filtered out. Within this callback the id of a
  // task whose `final` status it is may be launched again; otherwise once it has returned.
  virtual void OnStatus(const TaskStatus& status) = 0;

  virtual void OnConnected(const Connected& connected) {}
  // The driver connects again by itself. All offers are void.
  virtual void OnDisconnected(const std::string& reason) {}
  // These offers cannot be used any more; tasks launched on them are told as DROPPED.
  virtual void OnOffersVoid(const std::vector<std::string>& offers, const std::string& reason) {}
  virtual void OnAnswer(const CallAnswer& answer) {}
  // Best effort; statuses tell about tasks.
  virtual void OnAgentChanged(const std::string& agent_id, AgentChange change) {}
  // Every task this scheduler knew has been asked about and told.
  virtual void OnReconciled() {}
  virtual void OnStopped(const Stopped& stopped) {}

 protected:
  // The driver it was handed to; there before the first callback.
  SchedulerDriver& driver() { return *driver_; }

 private:
  friend class SchedulerDriver;
  SchedulerDriver* driver_ = nullptr;
};

// THREAD: any.
class SchedulerDriver {
 public:
  // Begins; connecting goes on in the background. INVALID_ARGUMENT: the options; NOT_FOUND: no
  // master is named anywhere; what the state store says when it cannot be loaded.
  // `scheduler` outlives the driver.
  static absl::StatusOr<std::unique_ptr<SchedulerDriver>> Start(FrameworkOptions options,
                                                                Scheduler* scheduler);
  // Stop, and waits for the callbacks to end.
  ~SchedulerDriver();

  // --- Calls. Each returns its number; one CallAnswer follows. ---

  // SIGTERM, then SIGKILL after the task's grace, which may be shortened here. Remembered while
  // there is no connection.
  uint64_t Kill(const std::string& task_id,
                std::optional<std::chrono::milliseconds> grace = std::nullopt);
  // No offers for these roles (none named: all) until revived. Remembered.
  uint64_t Suppress(const std::vector<std::string>& roles = {});
  // Offers again, whatever was refused.
  uint64_t Revive(const std::vector<std::string>& roles = {});
  // Replaces what was declared; none: wants nothing. Remembered. At most 100.
  uint64_t SetDemand(const std::vector<Demand>& demands);
  // Back to not saying: offered by fair share.
  uint64_t ClearDemand();
  // Statuses of these tasks (none named: all) follow. Done by itself after each connection.
  uint64_t Reconcile(const std::vector<std::string>& task_ids = {});
  uint64_t UpdateRoles(const std::vector<std::string>& roles);

  // Disconnects; tasks live on for the failover timeout. OnStopped follows.
  void Stop();
  // Ends the framework in the cluster and kills its tasks, as soon as there is a master. OnStopped
  // follows.
  void Teardown();
  // Until it has stopped.
  Stopped Wait();

  struct Inside;  // Of the SDK.

 private:
  explicit SchedulerDriver(std::unique_ptr<Inside> inside);
  std::unique_ptr<Inside> inside_;
};

}  // namespace proffer
