// The way into a driver for objects that may outlive it: offers and runs in the user's hands.
#pragma once

#include <thread>
#include <utility>

#include "common/base/mutex.h"
#include "sdk/driver.h"

namespace proffer::sdk {

// THREAD: any.
class DriverGate {
 public:
  void Open(Driver* driver) {
    MutexLock lock(&mutex_);
    driver_ = driver;
  }
  // After this nothing goes in.
  void Close() { Open(nullptr); }

  void Post(Input input) {
    MutexLock lock(&mutex_);
    if (driver_ == nullptr) return;
    if (const auto* event = std::get_if<Event>(&input)) {
      if (const auto* accept = std::get_if<AcceptAsked>(event)) HandOver(*accept);
    }
    driver_->Post(std::move(input));
  }

  // While the user is told of this update, a launch under the same id means that they are done
  // with it. From the callback thread.
  void Telling(const Update* update) {
    MutexLock lock(&mutex_);
    telling_ = update != nullptr && update->final ? update : nullptr;
    teller_ = std::this_thread::get_id();
  }

 private:
  void HandOver(const AcceptAsked& accept) REQUIRES_MUTEX(mutex_) {
    if (telling_ == nullptr || std::this_thread::get_id() != teller_) return;
    for (const model::TaskSpec& spec : accept.accept.tasks) {
      if (spec.id != telling_->status.task) continue;
      driver_->Post(Event(UpdateHandled{telling_->number}));
      return;
    }
  }

  Mutex mutex_;
  Driver* driver_ GUARDED_BY_MUTEX(mutex_) = nullptr;
  const Update* telling_ GUARDED_BY_MUTEX(mutex_) = nullptr;
  std::thread::id teller_ GUARDED_BY_MUTEX(mutex_);
};

}  // namespace proffer::sdk
