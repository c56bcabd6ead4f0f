// The thread that makes records durable: it takes everything that waits, writes it as one batch,
// and says up to which number everything is durable. That is the group commit.
#pragma once

#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "common/base/mutex.h"
#include "common/base/store.h"

namespace proffer {

class StoreWriter {
 public:
  // `on_durable(seq)` is called on the writer's thread. A failed write ends the process: what was
  // decided cannot be taken back, and restart is the recovery path. By EndProcess when somebody
  // else has taken over the store or it is out of reach, else, as a defect would, with a core dump.
  StoreWriter(Store* store, std::function<void(uint64_t seq)> on_durable);
  // Writes what is queued, then stops.
  ~StoreWriter();

  // `seq` of the last mutation; numbers only rise.
  void Append(uint64_t seq, std::vector<Mutation> mutations);

 private:
  void Run();

  Store* const store_;
  const std::function<void(uint64_t)> on_durable_;
  Mutex mutex_;
  CondVar not_empty_;
  std::vector<Mutation> queue_ GUARDED_BY_MUTEX(mutex_);
  uint64_t last_seq_ GUARDED_BY_MUTEX(mutex_) = 0;
  bool stopping_ GUARDED_BY_MUTEX(mutex_) = false;
  std::thread thread_;
};

}  // namespace proffer
