// From plan to running program.
#include "launcher/start_task.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "common/base/turns.h"
#include "isolator/process/privileges.h"
#include "isolator/process/turns.h"

namespace proffer::launcher {
namespace {

enum class Stage : int32_t { kLimit, kCapabilities, kUser, kDirectory, kExec, kOther };

struct Failure {
  Stage stage = Stage::kOther;
  int32_t error = 0;
  int32_t detail = 0;  // Of kLimit: which one.
};

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// Where argv[0] may be. Made before the fork: afterwards only system calls.
std::vector<std::string> Candidates(const isolator::LaunchPlan& plan) {
  const std::string& program = plan.argv[0];
  if (program.find('/') != std::string::npos) return {program};
  std::vector<std::string> candidates;
  for (size_t at = 0; at <= plan.path.size();) {
    size_t end = plan.path.find(':', at);
    if (end == std::string::npos) end = plan.path.size();
    const std::string directory = plan.path.substr(at, end - at);
    candidates.push_back((directory.empty() ? "." : directory) + "/" + program);
    at = end + 1;
  }
  return candidates;
}

[[noreturn]] void Fail(int report, Stage stage, int32_t detail = 0) {
  const Failure failure{stage, errno, detail};
  if (write(report, &failure, sizeof(failure)) < 0) _exit(126);
  _exit(127);
}

// In the child. Only system calls: the parent's memory is a copy, its locks are in unknown state.
[[noreturn]] void Become(const isolator::LaunchPlan& plan, uint64_t bounding,
                         const std::vector<std::string>& candidates, char* const* argv,
                         char* const* environment, int input, int output, int error, int report) {
  setsid();  // A session and a group of its own: nobody else's terminal, and one name for all.
  // The raw call, because the C library keeps two signals for itself and would leave them ignored
  // if whoever started us did. All zero: the default.
  const uint64_t plain[4] = {};
  for (int signal = 1; signal <= 64; ++signal) {
    syscall(SYS_rt_sigaction, signal, plain, nullptr, sizeof(uint64_t));
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);

  if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(error, 2) < 0) Fail(report, Stage::kOther);
  // Everything above 2 goes at exec, the report included.
  if (syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC) != 0) {
    for (int fd = 3; fd < 1024; ++fd) fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  for (const isolator::Rlimit& limit : plan.rlimits) {
    const rlimit value{limit.soft, limit.hard};
    if (setrlimit(static_cast<__rlimit_resource>(limit.resource), &value) != 0) {
      Fail(report, Stage::kLimit, limit.resource);
    }
  }
  const auto must = [report](Stage stage, int error) {
    errno = error;
    if (error != 0) Fail(report, stage);
  };
  if (plan.drop_capabilities) {
    must(Stage::kCapabilities, isolator::LimitCapabilities(plan.capabilities, bounding));
  }
  if (plan.switch_user) {
    must(Stage::kUser, isolator::BecomeUser(plan.uid, plan.gid, plan.groups));
  }
  if (plan.drop_capabilities) {
    must(Stage::kCapabilities, isolator::RaiseCapabilities(plan.capabilities));
  }
  if (plan.use_cgroups) TakeTurnsOf(isolator::TurnNs(plan.cgroup.cpu_milli));
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) Fail(report, Stage::kOther);
  // After the change of user, which would clear it. Without the shim nobody watches.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  umask(022);
  if (chdir(plan.working_directory.c_str()) != 0) Fail(report, Stage::kDirectory);

  int error_kept = ENOENT;
  for (const std::string& candidate : candidates) {
    execve(candidate.c_str(), argv, environment);
    // As a shell does: one that may not be executed is remembered, the search goes on.
    if (errno != ENOENT && errno != ENOTDIR) error_kept = errno;
    if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) break;
  }
  errno = error_kept;
  Fail(report, Stage::kExec);
}

std::string Describe(const isolator::LaunchPlan& plan, const Failure& failure) {
  const std::string error = strerror(failure.error);
  const std::string& program = plan.argv[0];
  switch (failure.stage) {
    case Stage::kLimit:
      return "resource limit " + std::to_string(failure.detail) + " could not be set: " + error;
    case Stage::kCapabilities:
      return "the capabilities could not be set: " + error;
    case Stage::kUser:
      return "could not become user '" + plan.user + "': " + error;
    case Stage::kDirectory:
      return "working directory '" + plan.working_directory + "' cannot be entered: " + error;
    case Stage::kExec:
      if (failure.error == ENOENT && program.find('/') == std::string::npos) {
        return "program '" + program + "' not found in PATH (" + plan.path + ")";
      }
      if (failure.error == ENOENT) {
        struct stat unused;
        const std::string full =
            program[0] == '/' ? program : plan.working_directory + "/" + program;
        if (stat(full.c_str(), &unused) == 0) {
          return "program '" + program + "' exists, but the interpreter it names does not";
        }
        return "program '" + program + "' does not exist";
      }
      if (failure.error == EACCES) {
        return "program '" + program + "' may not be executed" +
               (plan.user.empty() ? "" : " by user '" + plan.user + "'");
      }
      if (failure.error == ENOEXEC) {
        return "program '" + program +
               "' is not executable: neither a binary of this machine nor a script with #!";
      }
      if (failure.error == E2BIG) return "the command and its environment are too long";
      return "program '" + program + "' could not be started: " + error;
    case Stage::kOther:
      break;
  }
  return "the process could not be prepared: " + error;
}

}  // namespace

pid_t StartTask(const isolator::LaunchPlan& plan, uint64_t bounding, int output, int error,
                std::string* why) {
  const std::vector<std::string> candidates = Candidates(plan);
  const std::vector<char*> argv = Pointers(plan.argv);
  const std::vector<char*> environment = Pointers(plan.environment);
  const int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
  int report[2];
  if (input < 0 || pipe2(report, O_CLOEXEC) != 0) {
    *why = std::string("the process could not be prepared: ") + strerror(errno);
    return -1;
  }
  // The child shares the parent's memory until it execs, and the parent waits for that: vfork. A
  // copy of even this small process costs more than all the rest.
  const pid_t pid = vfork();
  if (pid == 0) {
    Become(plan, bounding, candidates, argv.data(), environment.data(), input, output, error,
           report[1]);
  }
  const int fork_error = errno;
  close(input);
  close(report[1]);
  if (pid < 0) {
    close(report[0]);
    *why = std::string("no process could be made: ") + strerror(fork_error);
    return -1;
  }
  Failure failure;
  ssize_t got;
  do {
    got = read(report[0], &failure, sizeof(failure));
  } while (got < 0 && errno == EINTR);
  close(report[0]);
  if (got == 0) return pid;  // Closed by exec.
  waitpid(pid, nullptr, 0);
  *why = Describe(plan, failure);
  return -1;
}

}  // namespace proffer::launcher
