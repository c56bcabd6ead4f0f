// Watches that a loop goes round. A core loop that stands still is worse than a dead process:
// nothing fails over from it. Beyond `fatal_ms` the watchdog ends the process.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include "common/base/mutex.h"

namespace proffer {

class Watchdog {
 public:
  // Logs when the loop called `name` was busy for `warn_ms`, aborts after `fatal_ms` (0: never).
  Watchdog(std::string name, int64_t warn_ms, int64_t fatal_ms);
  ~Watchdog();

  // THREAD: the watched loop. Between Busy and Idle the loop is working.
  void Busy();
  void Idle();

  // The longest turn seen, in milliseconds.
  int64_t longest_ms() const { return longest_ms_.load(std::memory_order_relaxed); }

 private:
  void Run();

  const std::string name_;
  const int64_t warn_ms_;
  const int64_t fatal_ms_;
  std::atomic<int64_t> busy_since_ms_{0};  // 0 while idle.
  std::atomic<int64_t> longest_ms_{0};
  Mutex mutex_;
  CondVar wake_;
  bool stopping_ GUARDED_BY_MUTEX(mutex_) = false;
  std::thread thread_;
};

}  // namespace proffer
