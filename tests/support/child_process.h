// A program that a test runs beside itself: its output is kept and can be waited for, and it never
// outlives the test.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/base/mutex.h"

namespace proffer::testing {

class ChildProcess {
 public:
  // `words[0]` is the path of the program.
  explicit ChildProcess(std::vector<std::string> words);
  // SIGKILL, if it still runs.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  void Signal(int signal) const;
  // SIGKILL; returns when it is gone.
  void Kill();

  // Waits until `text` was said, on stdout or stderr. False: it ended without, or the time is up.
  bool AwaitOutput(const std::string& text, int64_t timeout_ms = 60'000) const;
  std::string output() const;
  // Its status as from waitpid when it has ended by itself; nullopt: it has not within the time.
  // Once this has returned one, `output` is all that it has said.
  std::optional<int> AwaitEnd(int64_t timeout_ms = 60'000);

 private:
  void Read(int fd);

  pid_t pid_ = 0;
  std::optional<int> status_;
  mutable Mutex mutex_;
  mutable CondVar changed_;
  std::string output_ GUARDED_BY_MUTEX(mutex_);
  bool silent_ GUARDED_BY_MUTEX(mutex_) = false;  // It has closed its output.
  std::thread reader_;
};

}  // namespace proffer::testing
