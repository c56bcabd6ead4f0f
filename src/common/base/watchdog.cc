#include "common/base/watchdog.h"

#include <glog/logging.h>

#include <algorithm>
#include <utility>

#include "common/base/clock.h"

namespace proffer {

Watchdog::Watchdog(std::string name, int64_t warn_ms, int64_t fatal_ms)
    : name_(std::move(name)), warn_ms_(warn_ms), fatal_ms_(fatal_ms), thread_([this] { Run(); }) {}

Watchdog::~Watchdog() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    wake_.SignalAll();
  }
  thread_.join();
}

void Watchdog::Busy() { busy_since_ms_.store(BootTimeNow().ms, std::memory_order_relaxed); }

void Watchdog::Idle() {
  const int64_t since = busy_since_ms_.exchange(0, std::memory_order_relaxed);
  if (since == 0) return;
  const int64_t took = BootTimeNow().ms - since;
  if (took > longest_ms_.load(std::memory_order_relaxed)) longest_ms_.store(took);
}

void Watchdog::Run() {
  int64_t warned_for = 0;
  MutexLock lock(&mutex_);
  while (!stopping_) {
    wake_.WaitFor(&mutex_, std::max<int64_t>(warn_ms_ / 2, 50));
    const int64_t since = busy_since_ms_.load(std::memory_order_relaxed);
    if (since == 0) continue;
    const int64_t busy_ms = BootTimeNow().ms - since;
    if (busy_ms >= warn_ms_ && warned_for != since) {
      warned_for = since;
      LOG(WARNING) << name_ << ": one turn has taken " << busy_ms << " ms so far";
    }
    if (fatal_ms_ > 0 && busy_ms >= fatal_ms_) {
      LOG(FATAL) << name_ << ": one turn has taken " << busy_ms << " ms, more than " << fatal_ms_
                 << " ms; ending the process so that another can take over";
    }
  }
}

}  // namespace proffer
