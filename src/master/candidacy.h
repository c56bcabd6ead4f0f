// A master among several: it stands for election in ZooKeeper, waits while others lead, leads on
// the registry that is kept there, and ends its process when it no longer may.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/base/mutex.h"
#include "common/zookeeper/contender.h"
#include "common/zookeeper/session.h"
#include "master/master.h"

namespace proffer::master {

class Candidacy {
 public:
  struct Options {
    zk::Address zookeeper;
    int64_t session_timeout_ms = 10'000;
    std::vector<std::string> advertised;  // Where others find this master.
    MasterOptions master;
    // Called on the candidacy's thread when this master leads and serves.
    std::function<void(const Master&)> leading;
  };

  // Stands, on a thread of its own, serves as a standby and as a leader, and ends the process by
  // EndProcess as soon as it must: the session or the lead is lost, or the registry cannot be
  // served (exit status 1 then, because a restart would not help).
  Candidacy(Options options, rpc::Listeners listeners);
  // Resigns: stops to serve, if it does, makes durable what it has decided, and ends the session,
  // so that the next one leads at once.
  ~Candidacy();
  Candidacy(const Candidacy&) = delete;
  Candidacy& operator=(const Candidacy&) = delete;

 private:
  void Run();
  // Until it is over; says why.
  absl::Status Stand();
  // While others lead: answers with who does. Returns when we do.
  absl::Status StandBy(zk::Contender* contender, const zk::LeaderInfo& self);
  absl::Status Lead(zk::Session* session, zk::Contender* contender);
  bool resigning() const;

  const Options options_;
  rpc::Listeners listeners_;  // Of whoever serves next, on the thread.

  mutable Mutex mutex_;
  bool resigning_ GUARDED_BY_MUTEX(mutex_) = false;
  bool leading_ GUARDED_BY_MUTEX(mutex_) = false;
  // Of Stand, while it runs.
  zk::Session* session_ GUARDED_BY_MUTEX(mutex_) = nullptr;
  zk::Contender* contender_ GUARDED_BY_MUTEX(mutex_) = nullptr;
  std::thread thread_;
};

}  // namespace proffer::master
