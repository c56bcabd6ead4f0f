#include "sim/world/world.h"

#include <algorithm>
#include <utility>

namespace proffer::sim {

void World::At(Time when, std::function<void()> what) {
  queue_.push_back({std::max(when, now_), ++last_, std::move(what)});
  std::push_heap(queue_.begin(), queue_.end());
}

bool World::Run(Time until, const std::function<bool()>& done) {
  while (!queue_.empty() && violations_.empty()) {
    if (queue_.front().when > until) break;
    std::pop_heap(queue_.begin(), queue_.end());
    const Entry entry = std::move(queue_.back());
    queue_.pop_back();
    now_ = entry.when;
    ++steps_;
    entry.what();
    if (done && done()) return true;
  }
  now_ = std::max(now_, until);
  return false;
}

void World::Trace(const std::string& who, const std::string& bytes,
                  const std::function<std::string()>& text) {
  const auto mix = [this](const void* data, size_t size) {
    const auto* at = static_cast<const unsigned char*>(data);
    for (size_t i = 0; i < size; ++i) hash_ = (hash_ ^ at[i]) * 1099511628211ULL;
  };
  mix(who.data(), who.size());
  mix(&now_.ms, sizeof(now_.ms));
  mix(bytes.data(), bytes.size());
  if (reader_) reader_(now_, who, text ? text() : bytes);
}

void World::Violation(const std::string& sentence) {
  Trace("judge", sentence);
  if (violations_.size() < 10) violations_.push_back(sentence);
}

}  // namespace proffer::sim
