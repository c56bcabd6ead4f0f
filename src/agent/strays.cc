// Strays are told by their environment; a pidfd makes sure that who was looked at is who is killed.
#include "agent/strays.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/sandboxes.h"

namespace proffer::agent {
namespace {

std::string EnvironmentOf(int pid) {
  std::string text(1, '\0');  // So that every variable stands between two zeros.
  const int fd = open(absl::StrCat("/proc/", pid, "/environ").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return text;
  char buffer[16 * 1024];
  ssize_t got;
  while ((got = read(fd, buffer, sizeof(buffer))) > 0 && text.size() < (4u << 20)) {
    text.append(buffer, got);
  }
  close(fd);
  return text;
}

// Whether it has memory of its own, which threads of the kernel and the dead have not.
bool HasMemory(int pid) {
  const int fd = open(absl::StrCat("/proc/", pid, "/statm").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char first = '0';
  const bool any = read(fd, &first, 1) == 1 && first != '0';
  close(fd);
  return any;
}

// The value of a variable; "" if there is none.
std::string ValueOf(const std::string& environment, const std::string& name) {
  const std::string begin = absl::StrCat(std::string(1, '\0'), name, "=");
  const size_t at = environment.find(begin);
  if (at == std::string::npos) return "";
  const size_t value = at + begin.size();
  const size_t end = environment.find('\0', value);
  return environment.substr(value, end == std::string::npos ? end : end - value);
}

}  // namespace

std::set<model::AttemptId> KillStrays(
    const std::string& sandboxes, const model::AgentId& agent,
    const std::function<bool(const model::AttemptId&)>& is_stray) {
  std::set<model::AttemptId> killed;
  // What is killed may have started others meanwhile, and who is in the middle of an exec shows no
  // environment: until a pass finds none of either.
  for (int pass = 0; pass < 20; ++pass) {
    bool found = false;
    DIR* proc = opendir("/proc");
    if (proc == nullptr) return killed;
    while (const dirent* entry = readdir(proc)) {
      const int pid = atoi(entry->d_name);
      if (pid <= 1 || pid == getpid()) continue;
      const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
      if (pidfd < 0) continue;
      const std::string environment = EnvironmentOf(pid);
      found |= environment.size() == 1 && HasMemory(pid);
      model::AttemptId attempt;
      if (absl::StartsWith(ValueOf(environment, "PROFFER_SANDBOX"), sandboxes + "/") &&
          (agent.empty() || ValueOf(environment, "PROFFER_AGENT_ID") == agent.value()) &&
          ParseAttempt(ValueOf(environment, "PROFFER_ATTEMPT"), &attempt) && is_stray(attempt) &&
          syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0) == 0) {
        killed.insert(attempt);
        found = true;
      }
      close(pidfd);
    }
    closedir(proc);
    if (!found) break;
  }
  return killed;
}

}  // namespace proffer::agent
