// Strays are told by their environment; a pidfd makes sure that who was looked at is who is killed.
#include "agent/strays.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"

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

}  // namespace

int KillStrays(const model::AgentId& agent, const model::AttemptId& attempt) {
  const std::string zero(1, '\0');
  const std::string attempt_is = absl::StrCat(zero, "PROFFER_ATTEMPT=", attempt.ToString(), zero);
  const std::string agent_is = absl::StrCat(zero, "PROFFER_AGENT_ID=", agent.value(), zero);
  int killed = 0;
  // What is killed may have started others meanwhile: until a pass finds none.
  for (int pass = 0; pass < 20; ++pass) {
    int found = 0;
    DIR* proc = opendir("/proc");
    if (proc == nullptr) return killed;
    while (const dirent* entry = readdir(proc)) {
      const int pid = atoi(entry->d_name);
      if (pid <= 1 || pid == getpid()) continue;
      const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
      if (pidfd < 0) continue;
      const std::string environment = EnvironmentOf(pid);
      if (environment.find(attempt_is) != std::string::npos &&
          environment.find(agent_is) != std::string::npos &&
          syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0) == 0) {
        ++found;
      }
      close(pidfd);
    }
    closedir(proc);
    if (found == 0) break;
    killed += found;
  }
  return killed;
}

}  // namespace proffer::agent
