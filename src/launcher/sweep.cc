// Finding one's children.
#include "launcher/sweep.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <string>

#include "isolator/kernel.h"

namespace proffer::launcher {
namespace {

// For kernels without CONFIG_PROC_CHILDREN.
void KillChildrenByScan() {
  DIR* proc = opendir("/proc");
  if (proc == nullptr) return;
  isolator::Kernel& kernel = isolator::RealKernel();
  while (const dirent* entry = readdir(proc)) {
    const int pid = atoi(entry->d_name);
    if (pid <= 1) continue;
    std::string stat;
    if (kernel.Read("/proc/" + std::string(entry->d_name) + "/stat", &stat) != 0) continue;
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
  if (isolator::RealKernel().Read(path, &text) != 0) return KillChildrenByScan();
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
