#include "sim/world.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace proffer::sim {

World::World(uint64_t seed) : prng_(seed) {}

void World::At(Time when, std::function<void()> what) {
  queue_[{std::max(when, now_), ++last_}] = std::move(what);
}

bool World::Run(Time until, const std::function<bool()>& done) {
  while (!queue_.empty() && violations_.empty()) {
    auto first = queue_.begin();
    if (first->first.first > until) break;
    now_ = first->first.first;
    const std::function<void()> what = std::move(first->second);
    queue_.erase(first);
    ++steps_;
    what();
    if (done && done()) return true;
  }
  now_ = std::max(now_, until);
  return false;
}

void World::Trace(const std::string& who, const std::string& bytes) {
  const auto mix = [this](const std::string& text) {
    for (const unsigned char c : text) hash_ = (hash_ ^ c) * 1099511628211ULL;
  };
  mix(who);
  mix(std::to_string(now_.ms));
  mix(bytes);
  if (verbose_) {
    std::fprintf(stderr, "%8lld %s %s\n", static_cast<long long>(now_.ms), who.c_str(),
                 bytes.c_str());
  }
}

void World::Violation(const std::string& sentence) {
  if (violations_.size() < 10) violations_.push_back(sentence);
}

void Wire::Send(End from, std::string bytes) {
  if (broken_) return;
  const End to = from == kClient ? kServer : kClient;
  // In order: nothing arrives before what was sent before it.
  const Time arrival = std::max(world_->now() + world_->Latency(), last_arrival_[to]);
  last_arrival_[to] = arrival;
  world_->At(arrival, [self = shared_from_this(), to, bytes = std::move(bytes)] {
    self->Deliver(to, bytes);
  });
}

void Wire::Deliver(End to, const std::string& bytes) {
  if (broken_ || told_closed_[to]) return;
  if (sides_[to].on_bytes) sides_[to].on_bytes(bytes);
}

void Wire::Close(End from) {
  if (broken_) return;
  const End to = from == kClient ? kServer : kClient;
  const Time arrival = std::max(world_->now() + world_->Latency(), last_arrival_[to]);
  told_closed_[from] = true;
  world_->At(arrival, [self = shared_from_this(), to] {
    self->broken_ = true;
    self->TellClosed(to);
  });
}

void Wire::Break() {
  if (broken_) return;
  broken_ = true;
  for (const End end : {kClient, kServer}) {
    // One side may notice much later than the other.
    world_->After(
        world_->prng().Chance(1, 4) ? world_->prng().Between(100, 10'000) : world_->Latency(),
        [self = shared_from_this(), end] { self->TellClosed(end); });
  }
}

void Wire::Die(End end) {
  told_closed_[end] = true;
  sides_[end] = Side();
  if (broken_) return;
  Break();
}

void Wire::TellClosed(End to) {
  if (std::exchange(told_closed_[to], true)) return;
  if (sides_[to].on_closed) sides_[to].on_closed();
}

}  // namespace proffer::sim
