#include "support/child_process.h"

#include <fcntl.h>
#include <glog/logging.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

#include "common/base/clock.h"

extern char** environ;

namespace proffer::testing {

ChildProcess::ChildProcess(std::vector<std::string> words) {
  const std::string setpriv = "/usr/bin/setpriv";
  words.insert(words.begin(), {setpriv, "--pdeathsig", "KILL"});
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  int fds[2];
  PCHECK(pipe2(fds, O_CLOEXEC) == 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, fds[1], 1);
  posix_spawn_file_actions_adddup2(&actions, fds[1], 2);
  CHECK_EQ(posix_spawn(&pid_, setpriv.c_str(), &actions, nullptr, argv.data(), environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  close(fds[1]);
  reader_ = std::thread([this, fd = fds[0]] { Read(fd); });
}

ChildProcess::~ChildProcess() {
  Kill();
  reader_.join();
}

void ChildProcess::Read(int fd) {
  char bytes[4096];
  ssize_t got = 0;
  while ((got = read(fd, bytes, sizeof(bytes))) > 0) {
    MutexLock lock(&mutex_);
    output_.append(bytes, got);
    changed_.SignalAll();
  }
  close(fd);
  MutexLock lock(&mutex_);
  silent_ = true;
  changed_.SignalAll();
}

void ChildProcess::Signal(int signal) const {
  if (!status_) kill(pid_, signal);
}

void ChildProcess::Kill() {
  Signal(SIGKILL);
  (void)AwaitEnd(/*timeout_ms=*/-1);
}

bool ChildProcess::AwaitOutput(const std::string& text, int64_t timeout_ms) const {
  const Time give_up = BootTimeNow() + timeout_ms;
  MutexLock lock(&mutex_);
  while (output_.find(text) == std::string::npos) {
    const int64_t left_ms = give_up - BootTimeNow();
    if (silent_ || left_ms <= 0) return false;
    changed_.WaitFor(&mutex_, left_ms);
  }
  return true;
}

std::string ChildProcess::output() const {
  MutexLock lock(&mutex_);
  return output_;
}

std::optional<int> ChildProcess::AwaitEnd(int64_t timeout_ms) {
  if (status_) return status_;
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  pollfd wait = {fd, POLLIN, 0};
  const bool ended = poll(&wait, 1, static_cast<int>(timeout_ms)) == 1;
  close(fd);
  if (!ended) return std::nullopt;
  int status = 0;
  waitpid(pid_, &status, 0);
  status_ = status;
  // What it said last may still be on its way to us.
  MutexLock lock(&mutex_);
  while (!silent_) changed_.Wait(&mutex_);
  return status_;
}

}  // namespace proffer::testing
