// A thin annotated mutex over std::mutex. ThreadSanitizer does not see into the packaged
// absl::Mutex, so what is ours and concurrent uses this one; clang's -Wthread-safety checks it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define PROFFER_TS(x) __attribute__((x))
#else
#define PROFFER_TS(x)
#endif

#define GUARDED_BY_MUTEX(m) PROFFER_TS(guarded_by(m))
#define REQUIRES_MUTEX(m) PROFFER_TS(requires_capability(m))

namespace proffer {

class PROFFER_TS(capability("mutex")) Mutex {
 public:
  void Lock() PROFFER_TS(acquire_capability()) { mutex_.lock(); }
  void Unlock() PROFFER_TS(release_capability()) { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class PROFFER_TS(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex* mutex) PROFFER_TS(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_->Lock();
  }
  ~MutexLock() PROFFER_TS(release_capability()) { mutex_->Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex* const mutex_;
};

class CondVar {
 public:
  void Wait(Mutex* mutex) REQUIRES_MUTEX(mutex) {
    std::unique_lock<std::mutex> lock(mutex->mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  // False when `timeout_ms` passed without a signal.
  bool WaitFor(Mutex* mutex, int64_t timeout_ms) REQUIRES_MUTEX(mutex) {
    std::unique_lock<std::mutex> lock(mutex->mutex_, std::adopt_lock);
    const auto status = condition_.wait_for(lock, std::chrono::milliseconds(timeout_ms));
    lock.release();
    return status == std::cv_status::no_timeout;
  }
  void SignalOne() { condition_.notify_one(); }
  void SignalAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace proffer
