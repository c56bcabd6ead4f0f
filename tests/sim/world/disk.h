// A simulated disk: writes become durable after a while, in order. When the machine or the process
// dies some of those on their way may have made it, but never one without those before it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include "common/fs/store_memory.h"
#include "sim/world/world.h"

namespace proffer::sim {

class Disk {
 public:
  explicit Disk(World* world) : world_(world), store_(std::make_unique<MemoryStore>()) {}

  // What survives; recovery reads it.
  Store* store() { return store_.get(); }

  // `answered(true)` when durable, `answered(false)` on an error, after which the writer must end.
  void Append(std::vector<Mutation> batch, std::function<void(bool)> answered) {
    Time when = world_->now() + world_->DiskTime();
    if (world_->now() < slow_until_) when = when + world_->prng().Between(100, 3'000);
    when = std::max(when, last_);
    last_ = when;
    coming_.push_back({std::move(batch), std::move(answered)});
    world_->At(when, [this, life = life_] {
      if (life != life_) return;
      const Pending pending = std::move(coming_.front());
      coming_.pop_front();
      // After an error nothing is written any more; the process must end.
      if (failed_ || std::exchange(fail_next_, false)) {
        failed_ = true;
        pending.answered(false);
        return;
      }
      if (!store_->Write(pending.batch).ok()) world_->Violation("the memory store failed");
      pending.answered(true);
    });
  }
  // A prefix of what is on its way survives.
  void Crash() {
    ++life_;
    const size_t made_it = failed_ ? 0 : world_->prng().Below(coming_.size() + 1);
    for (size_t i = 0; i < made_it; ++i) (void)store_->Write(coming_[i].batch);
    coming_.clear();
    fail_next_ = failed_ = false;
  }
  void Wipe() {
    ++life_;
    coming_.clear();
    store_ = std::make_unique<MemoryStore>();
  }
  void FailNextWrite() { fail_next_ = true; }
  void SlowDown(int64_t ms) { slow_until_ = world_->now() + ms; }
  void Heal() {
    fail_next_ = false;
    slow_until_ = Time();
  }

 private:
  struct Pending {
    std::vector<Mutation> batch;
    std::function<void(bool)> answered;
  };
  World* const world_;
  std::unique_ptr<MemoryStore> store_;
  std::deque<Pending> coming_;
  uint64_t life_ = 0;
  Time last_;
  bool fail_next_ = false;
  bool failed_ = false;
  Time slow_until_;
};

}  // namespace proffer::sim
