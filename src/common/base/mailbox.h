// The one door into a core: many threads put events in, the core thread takes a whole turn's worth.
//
// Bounded: Push never blocks and never drops silently; it says no, and the caller stops reading
// from its peer. Events that the process itself needs to make progress (timers, durable
// notices, disconnects) go in by PushUrgent, which is never refused because their number is
// bounded by what is open already.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/mutex.h"

namespace proffer {

template <typename T>
class Mailbox {
 public:
  explicit Mailbox(size_t capacity) : capacity_(capacity) {}

  // False when full or closed; the item is then untouched in effect (it was moved nowhere).
  bool Push(T&& item) {
    MutexLock lock(&mutex_);
    if (closed_ || items_.size() >= capacity_) return false;
    items_.push_back(std::move(item));
    not_empty_.SignalOne();
    return true;
  }

  bool PushUrgent(T&& item) {
    MutexLock lock(&mutex_);
    if (closed_) return false;
    items_.push_back(std::move(item));
    not_empty_.SignalOne();
    return true;
  }

  // Waits at most `timeout_ms` for mail, then swaps everything into `out` (cleared first).
  // False once closed and empty.
  bool TakeAll(int64_t timeout_ms, std::vector<T>* out) {
    out->clear();
    MutexLock lock(&mutex_);
    if (items_.empty() && !closed_ && timeout_ms > 0) not_empty_.WaitFor(&mutex_, timeout_ms);
    if (items_.empty()) return !closed_;
    items_.swap(*out);
    return true;
  }

  // Wakes the taker; what is inside can still be taken, nothing more goes in.
  void Close() {
    MutexLock lock(&mutex_);
    closed_ = true;
    not_empty_.SignalAll();
  }

  size_t size() const {
    MutexLock lock(&mutex_);
    return items_.size();
  }

 private:
  const size_t capacity_;
  mutable Mutex mutex_;
  CondVar not_empty_;
  std::vector<T> items_ GUARDED_BY_MUTEX(mutex_);
  bool closed_ GUARDED_BY_MUTEX(mutex_) = false;
};

}  // namespace proffer
