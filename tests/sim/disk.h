// A simulated disk: writes become durable after a while, in order; a crash keeps what is durable.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "common/fs/store_memory.h"
#include "sim/world.h"

namespace proffer::sim {

class Disk {
 public:
  explicit Disk(World* world) : world_(world) {}

  // What survives; recovery reads it.
  Store* store() { return &store_; }

  void Append(uint64_t seq, std::vector<Mutation> batch, std::function<void(uint64_t)> on_durable) {
    const Time when = std::max(world_->now() + world_->DiskTime(), last_);
    last_ = when;
    world_->At(when, [this, life = life_, seq, batch = std::move(batch),
                      on_durable = std::move(on_durable)] {
      if (life != life_) return;  // Lost in a crash.
      if (!store_.Write(batch).ok()) world_->Violation("the memory store failed");
      on_durable(seq);
    });
  }
  // What is not durable yet never will be.
  void Crash() { ++life_; }

 private:
  World* const world_;
  MemoryStore store_;
  uint64_t life_ = 0;
  Time last_;
};

}  // namespace proffer::sim
