// Deadlines of things: at most one a thing and kind, moved or cancelled at will, popped in order.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "common/base/time.h"

namespace proffer::master {

enum class TimerKind { kAgentPing, kAgentSilence, kHeartbeat, kFailover, kElapsed, kOffer };

class Timers {
 public:
  struct Key {
    TimerKind kind;
    uint64_t number;  // An index or the n of an id.
    friend auto operator<=>(const Key&, const Key&) = default;
  };

  void Set(Key key, Time at) {
    Cancel(key);
    if (at.IsNever()) return;
    when_[key] = at;
    queue_.insert({at, key});
  }

  void Cancel(Key key) {
    auto it = when_.find(key);
    if (it == when_.end()) return;
    queue_.erase({it->second, key});
    when_.erase(it);
  }

  // The next key that is due, taken out; nullopt when none is.
  std::optional<Key> PopDue(Time now) {
    if (queue_.empty() || queue_.begin()->first > now) return std::nullopt;
    const Key key = queue_.begin()->second;
    queue_.erase(queue_.begin());
    when_.erase(key);
    return key;
  }

  Time Next() const { return queue_.empty() ? Time::Never() : queue_.begin()->first; }

 private:
  std::map<Key, Time> when_;
  std::set<std::pair<Time, Key>> queue_;
};

}  // namespace proffer::master
