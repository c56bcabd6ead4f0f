// A stranger's process that has the number which a process of ours had before: whoever remembers
// numbers across a death of its own would signal it.
#pragma once

#include <errno.h>
#include <gtest/gtest.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>

namespace proffer::testing {

// Needs root (clone3 with set_tid).
class Impostor {
 public:
  // Waits until the number is free. It leads a session and a process group of that number too.
  explicit Impostor(pid_t number) : pid_(number) {
    int ready[2];
    if (pipe(ready) != 0) {
      Fail();
      return;
    }
    clone_args args = {};
    args.exit_signal = SIGCHLD;
    args.set_tid = reinterpret_cast<uint64_t>(&pid_);
    args.set_tid_size = 1;
    int64_t made = -1;
    for (int tries = 0; tries < 5'000; ++tries) {
      made = syscall(SYS_clone3, &args, sizeof(args));
      if (made >= 0 || errno != EEXIST) break;
      usleep(1'000);
    }
    if (made < 0) {
      Fail();
      return;
    }
    if (made == 0) {
      setsid();
      if (write(ready[1], "x", 1) != 1) _exit(1);
      for (;;) pause();
    }
    char unused;
    if (read(ready[0], &unused, 1) != 1) Fail();
    close(ready[0]);
    close(ready[1]);
  }
  ~Impostor() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Impostor(const Impostor&) = delete;
  Impostor& operator=(const Impostor&) = delete;

  // Our child: were it dead, it would be waited for.
  bool Lives() const {
    siginfo_t info = {};
    return waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) ==
               0 &&
           info.si_pid == 0;
  }

 private:
  void Fail() { ADD_FAILURE() << "no process could be made " << pid_ << ": " << strerror(errno); }

  const pid_t pid_;
};

}  // namespace proffer::testing
