// The state of a scheduler of which two replicas run on one disk. Either the second waits until the
// first one's process has gone, or it takes the state away from one that only seems to have.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proffer/state_store.h"

namespace proffer::chaos {

class ReplicaStore : public StateStore {
 public:
  // Waits its turn, and loads. Called once, before the framework begins; what has been read from
  // elsewhere since then cannot be older than the state.
  virtual absl::Status Acquire() = 0;
  absl::StatusOr<std::map<std::string, std::string>> Load() final { return loaded_; }

 protected:
  std::map<std::string, std::string> loaded_;
};

// A FileStateStore, whose lock the kernel lets go of with the process that holds it.
std::unique_ptr<ReplicaStore> MakeWaitingStore(const std::string& path);

// Takes over when `heartbeat`, a file that whoever leads touches, is older than `stale_ms`. Each
// who takes over raises a number beside the state, and whoever finds it raised may not write any
// more: a replica that was frozen and wakes up again stops at its next write.
std::unique_ptr<ReplicaStore> MakeFencedStore(const std::string& path, const std::string& heartbeat,
                                              int64_t stale_ms);

}  // namespace proffer::chaos
