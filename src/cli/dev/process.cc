#include "cli/dev/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/clock.h"

extern char** environ;

namespace proffer::cli {
namespace {

std::string ReadWhole(const std::string& path) {
  std::string text;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return text;
  char buffer[16 * 1024];
  ssize_t got;
  while ((got = read(fd, buffer, sizeof(buffer))) > 0 && text.size() < (4u << 20)) {
    text.append(buffer, got);
  }
  close(fd);
  return text;
}

struct ProcessRow {
  std::string name;
  pid_t parent = 0;
  uint64_t start = 0;
  bool ended = false;  // A zombie.
};

// /proc/PID/stat: "pid (name) state ppid ...", the start being the 22nd field. The name may hold
// anything, so from the last parenthesis.
bool ReadRow(pid_t pid, ProcessRow* row) {
  const std::string text = ReadWhole(absl::StrCat("/proc/", pid, "/stat"));
  const size_t begin = text.find('(');
  const size_t end = text.rfind(')');
  if (begin == std::string::npos || end == std::string::npos || end + 2 > text.size()) return false;
  row->name = text.substr(begin + 1, end - begin - 1);
  const std::vector<std::string> fields = absl::StrSplit(text.substr(end + 2), ' ');
  if (fields.size() < 20) return false;
  row->ended = fields[0] == "Z" || fields[0] == "X";
  return absl::SimpleAtoi(fields[1], &row->parent) && absl::SimpleAtoi(fields[19], &row->start);
}

std::map<pid_t, ProcessRow> AllProcesses() {
  std::map<pid_t, ProcessRow> rows;
  DIR* proc = opendir("/proc");
  if (proc == nullptr) return rows;
  while (const dirent* entry = readdir(proc)) {
    const pid_t pid = atoi(entry->d_name);
    ProcessRow row;
    if (pid > 1 && ReadRow(pid, &row) && !row.ended) rows[pid] = row;
  }
  closedir(proc);
  return rows;
}

// A shim keeps a file of its run directory open and locked.
bool HasOpenFileBelow(pid_t pid, const std::string& directory) {
  const std::string fds = absl::StrCat("/proc/", pid, "/fd");
  DIR* dir = opendir(fds.c_str());
  if (dir == nullptr) return false;
  bool found = false;
  while (const dirent* entry = readdir(dir)) {
    char target[4096];
    const ssize_t length =
        readlink(absl::StrCat(fds, "/", entry->d_name).c_str(), target, sizeof(target));
    if (length > 0 && absl::StartsWith(absl::string_view(target, length), directory)) {
      found = true;
      break;
    }
  }
  closedir(dir);
  return found;
}

// Of a process that is just starting another program nothing can be read for a moment.
std::string EnvironmentOf(pid_t pid) {
  const std::string path = absl::StrCat("/proc/", pid);
  char unused[1];
  std::string environment = ReadWhole(path + "/environ");
  // A thread of the kernel has no program, and never any environment.
  for (int tries = 0; environment.empty() && tries < 50; ++tries) {
    if (readlink((path + "/exe").c_str(), unused, sizeof(unused)) < 0) break;
    sched_yield();
    environment = ReadWhole(path + "/environ");
  }
  return environment;
}

bool Belongs(pid_t pid, const ProcessRow& row, const Belongings& belongings) {
  if (row.name == "proffer-shim") return HasOpenFileBelow(pid, belongings.directory + "/");
  const std::string zero(1, '\0');
  const std::string environment = absl::StrCat(zero, EnvironmentOf(pid), zero);
  if (absl::StrContains(environment,
                        absl::StrCat(zero, "PROFFER_DEV=", belongings.directory, zero))) {
    return true;
  }
  return std::any_of(belongings.work_dirs.begin(), belongings.work_dirs.end(),
                     [&](const std::string& work_dir) {
                       return absl::StrContains(
                           environment, absl::StrCat(zero, "PROFFER_SANDBOX=", work_dir, "/"));
                     });
}

struct Found {
  std::vector<ProcessStamp> daemons;
  std::vector<ProcessStamp> shims;
  std::vector<ProcessStamp> tasks;
  size_t size() const { return daemons.size() + shims.size() + tasks.size(); }
};

Found FindAll(const Belongings& belongings) {
  const std::map<pid_t, ProcessRow> rows = AllProcesses();
  std::map<pid_t, bool> belongs;
  for (const auto& [pid, row] : rows) {
    belongs[pid] = pid != getpid() && Belongs(pid, row, belongings);
  }
  Found found;
  for (const auto& [pid, row] : rows) {
    if (pid == getpid()) continue;
    // Who descends from one of them is one too, whatever it did to its environment.
    bool mine = belongs[pid];
    std::set<pid_t> seen;
    for (pid_t up = row.parent; !mine && up != getpid() && rows.count(up) > 0;
         up = rows.at(up).parent) {
      if (!seen.insert(up).second) break;
      mine = belongs[up];
    }
    if (!mine) continue;
    const ProcessStamp stamp{pid, row.start};
    if (row.name == "proffer-shim") {
      found.shims.push_back(stamp);
    } else if (absl::StartsWith(row.name, "proffer-master") ||
               absl::StartsWith(row.name, "proffer-agent") ||
               absl::StartsWith(row.name, "proffer-launche")) {  // The kernel cuts names off.
      found.daemons.push_back(stamp);
    } else {
      found.tasks.push_back(stamp);
    }
  }
  return found;
}

void SignalAll(const std::vector<ProcessStamp>& stamps, int signal_number) {
  for (const ProcessStamp& stamp : stamps) Signal(stamp, signal_number);
}

void WaitForAll(const std::vector<ProcessStamp>& stamps, int64_t until_ms) {
  for (const ProcessStamp& stamp : stamps) {
    if (!WaitForEnd(stamp, std::max<int64_t>(0, until_ms - BootTimeNow().ms))) return;
  }
}

// A descriptor of exactly that process; -1: it is no more.
int OpenProcess(const ProcessStamp& stamp) {
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, stamp.pid, 0));
  if (fd < 0) return -1;
  if (StartOf(stamp.pid) == stamp.start) return fd;
  close(fd);
  return -1;
}

}  // namespace

uint64_t StartOf(pid_t pid) {
  ProcessRow row;
  return ReadRow(pid, &row) && !row.ended ? row.start : 0;
}

bool IsAlive(const ProcessStamp& stamp) {
  return stamp.start != 0 && StartOf(stamp.pid) == stamp.start;
}

absl::Status WriteStamp(const std::string& path, const ProcessStamp& stamp) {
  std::ofstream file(path, std::ios::trunc);
  file << stamp.pid << " " << stamp.start << "\n";
  file.close();
  if (!file) return absl::ErrnoToStatus(errno, absl::StrCat("could not write ", path));
  return absl::OkStatus();
}

absl::StatusOr<ProcessStamp> ReadStamp(const std::string& path) {
  std::ifstream file(path);
  ProcessStamp stamp;
  if (!(file >> stamp.pid >> stamp.start)) {
    return absl::NotFoundError(absl::StrCat(path, " names no process"));
  }
  return stamp;
}

bool Signal(const ProcessStamp& stamp, int signal_number) {
  const int fd = OpenProcess(stamp);
  if (fd < 0) return false;
  const bool sent = syscall(SYS_pidfd_send_signal, fd, signal_number, nullptr, 0) == 0;
  close(fd);
  return sent;
}

bool WaitForEnd(const ProcessStamp& stamp, int64_t timeout_ms) {
  const int fd = OpenProcess(stamp);
  if (fd < 0) return true;
  const int64_t until_ms = BootTimeNow().ms + timeout_ms;
  bool ended = false;
  while (!ended) {
    pollfd wait{fd, POLLIN, 0};
    const int64_t left = std::max<int64_t>(0, until_ms - BootTimeNow().ms);
    const int ready = poll(&wait, 1, static_cast<int>(std::min<int64_t>(left, 1 << 30)));
    if (ready == 0) break;
    if (ready < 0 && errno != EINTR) break;
    ended = ready > 0;
  }
  close(fd);
  return ended;
}

absl::StatusOr<ProcessStamp> StartDaemon(const DaemonSpec& spec) {
  const int log = open(spec.log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) return absl::ErrnoToStatus(errno, absl::StrCat("could not open ", spec.log_path));
  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  // Everything is made before the fork: other threads may hold any lock at that moment.
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const absl::string_view text = *entry;
    const bool replaced = std::any_of(
        spec.environment.begin(), spec.environment.end(),
        [&](const auto& added) { return absl::StartsWith(text, absl::StrCat(added.first, "=")); });
    if (!replaced) environment.emplace_back(*entry);
  }
  for (const auto& [name, value] : spec.environment) {
    environment.push_back(absl::StrCat(name, "=", value));
  }
  std::vector<char*> argv;
  for (const std::string& argument : spec.argv) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  std::vector<char*> envp;
  for (const std::string& entry : environment) envp.push_back(const_cast<char*>(entry.c_str()));
  envp.push_back(nullptr);
  sigset_t none;
  sigemptyset(&none);
  const pid_t parent = getpid();
  // Closed by exec: until then it is a copy of this process and wears none of its marks.
  int failed[2];
  if (pipe2(failed, O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "no pipe could be made");

  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(127);
    setpgid(0, 0);
    dup2(null, 0);
    dup2(spec.stdout_fd >= 0 ? spec.stdout_fd : log, 1);
    dup2(log, 2);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    execve(argv[0], argv.data(), envp.data());
    const int error = errno;
    if (write(failed[1], &error, sizeof(error)) < 0) _exit(126);
    _exit(127);
  }
  const int error = errno;
  close(log);
  close(null);
  close(failed[1]);
  int exec_error = 0;
  ssize_t got = 0;
  do {
    if (pid > 0) got = read(failed[0], &exec_error, sizeof(exec_error));
  } while (got < 0 && errno == EINTR);
  close(failed[0]);
  if (got == sizeof(exec_error)) {
    waitpid(pid, nullptr, 0);
    return absl::ErrnoToStatus(exec_error, absl::StrCat("could not start ", spec.argv[0]));
  }
  if (pid < 0) return absl::ErrnoToStatus(error, absl::StrCat("could not start ", spec.argv[0]));
  return ProcessStamp{pid, StartOf(pid)};
}

int KillEverythingOf(const Belongings& belongings, int64_t grace_ms) {
  // Daemons first, so that nothing new is started.
  int killed = 0;
  Found found = FindAll(belongings);
  killed += static_cast<int>(found.size());
  SignalAll(found.daemons, SIGTERM);
  WaitForAll(found.daemons, BootTimeNow().ms + 3'000);
  SignalAll(found.daemons, SIGKILL);
  if (grace_ms > 0 && !found.tasks.empty()) {
    SignalAll(found.tasks, SIGTERM);
    SignalAll(found.tasks, SIGCONT);  // A stopped one would not hear it.
    WaitForAll(found.tasks, BootTimeNow().ms + grace_ms);
  }
  // Tasks may fork while they are looked at, so until none is found; shims last, because orphans
  // of a task fall to its shim and are found by that.
  for (int pass = 0; pass < 100; ++pass) {
    found = FindAll(belongings);
    if (found.size() == 0) break;
    std::vector<ProcessStamp> victims = found.tasks;
    victims.insert(victims.end(), found.daemons.begin(), found.daemons.end());
    if (victims.empty()) victims = found.shims;
    SignalAll(victims, SIGKILL);
    WaitForAll(victims, BootTimeNow().ms + 1'000);
  }
  return killed;
}

}  // namespace proffer::cli
