#include "chaos/supervisor.h"

#include <fcntl.h>
#include <glog/logging.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <utility>

#include "common/base/clock.h"

extern char** environ;

namespace proffer::chaos {
namespace {

// As a service manager does by default, nearly.
constexpr int64_t kRestartMs = 200;

}  // namespace

void Supervisor::Add(const std::string& name, std::vector<std::string> words) {
  Daemon& daemon = daemons_[name];
  daemon.words = std::move(words);
  Start(name, &daemon);
}

void Supervisor::Start(const std::string& name, Daemon* daemon) const {
  std::vector<std::string> copies = daemon->words;
  std::vector<char*> argv;
  for (std::string& word : copies) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const std::string log = logs_ + "/" + name + ".log";
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  // Not all of our libraries close theirs, and a daemon's are counted.
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  CHECK_EQ(posix_spawnp(&daemon->pid, argv[0], &actions, nullptr, argv.data(), environ), 0)
      << argv[0];
  posix_spawn_file_actions_destroy(&actions);
  daemon->killed = false;
}

void Supervisor::Kill(const std::string& name) {
  Daemon& daemon = daemons_.at(name);
  ++daemon.kills;
  daemon.killed = true;
  if (daemon.pid != 0) kill(daemon.pid, SIGKILL);
}

void Supervisor::Restart(const std::string& name) {
  Daemon& daemon = daemons_.at(name);
  daemon.kills = std::max(daemon.kills - 1, 0);
  daemon.start_at = BootTimeNow();
}

void Supervisor::Freeze(const std::string& name) {
  Daemon& daemon = daemons_.at(name);
  ++daemon.freezes;
  if (daemon.pid != 0) kill(daemon.pid, SIGSTOP);
}

void Supervisor::Thaw(const std::string& name) {
  Daemon& daemon = daemons_.at(name);
  daemon.freezes = std::max(daemon.freezes - 1, 0);
  if (daemon.freezes == 0 && daemon.pid != 0) kill(daemon.pid, SIGCONT);
}

void Supervisor::Heal() {
  for (auto& [name, daemon] : daemons_) {
    daemon.kills = 0;
    daemon.freezes = 0;
    daemon.start_at = BootTimeNow();
    if (daemon.pid != 0) kill(daemon.pid, SIGCONT);
  }
}

void Supervisor::KillAll() {
  ending_ = true;
  for (auto& [name, daemon] : daemons_) {
    if (daemon.pid != 0) kill(daemon.pid, SIGKILL);
  }
}

void Supervisor::Tick(Time now) {
  int status = 0;
  for (pid_t pid = 0; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    for (auto& [name, daemon] : daemons_) {
      if (daemon.pid != pid) continue;
      daemon.pid = 0;
      daemon.start_at = now + kRestartMs;
      if (!daemon.killed) ++daemon.ends[status];
    }
  }
  for (auto& [name, daemon] : daemons_) {
    if (daemon.pid == 0 && daemon.kills == 0 && !ending_ && daemon.start_at <= now) {
      Start(name, &daemon);
    }
  }
}

std::set<pid_t> Supervisor::pids() const {
  std::set<pid_t> pids;
  for (const auto& [name, daemon] : daemons_) pids.insert(daemon.pid);
  return pids;
}

std::map<int, int> Supervisor::EndsOf(const std::string& prefix) const {
  std::map<int, int> ends;
  for (const auto& [name, daemon] : daemons_) {
    if (name.compare(0, prefix.size(), prefix) != 0) continue;
    for (const auto& [status, times] : daemon.ends) ends[status] += times;
  }
  return ends;
}

}  // namespace proffer::chaos
