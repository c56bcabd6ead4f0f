// Finding one's children.
#include "launcher/sweep.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <string>

namespace proffer::launcher {
namespace {

bool ReadAll(const char* path, std::string* text) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char buffer[4096];
  ssize_t got;
  while ((got = read(fd, buffer, sizeof(buffer))) > 0) text->append(buffer, got);
  close(fd);
  return got == 0;
}

// For kernels without CONFIG_PROC_CHILDREN.
void KillChildrenByScan() {
  DIR* proc = opendir("/proc");
  if (proc == nullptr) return;
  while (const dirent* entry = readdir(proc)) {
    const int pid = atoi(entry->d_name);
    if (pid <= 1) continue;
    std::string stat;
    if (!ReadAll(("/proc/" + std::string(entry->d_name) + "/stat").c_str(), &stat)) continue;
    // "pid (name) state ppid": the name may contain anything, so from the last parenthesis.
    const size_t end = stat.rfind(')');
    if (end == std::string::npos || end + 4 >= stat.size()) continue;
    if (atoi(stat.c_str() + end + 4) == getpid()) kill(pid, SIGKILL);
  }
  closedir(proc);
}

}  // namespace

void KillChildren() {
  std::string text;
  const std::string path = "/proc/self/task/" + std::to_string(getpid()) + "/children";
  if (!ReadAll(path.c_str(), &text)) return KillChildrenByScan();
  const char* at = text.c_str();
  while (*at != '\0') {
    char* end = nullptr;
    const long pid = strtol(at, &end, 10);
    if (end == at) break;
    if (pid > 1) kill(static_cast<pid_t>(pid), SIGKILL);
    at = end;
    while (*at == ' ') ++at;
  }
}

}  // namespace proffer::launcher
