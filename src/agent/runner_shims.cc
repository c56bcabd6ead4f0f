// The runner and its shims: finding those of a former life, hearing them, and what a lost one
// means.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/runner.h"
#include "agent/strays.h"
#include "common/base/clock.h"
#include "glog/logging.h"
#include "launcher/failpoint.h"

namespace proffer::agent {
namespace {

Event EventOf(const model::AttemptId& attempt, const launcher::Ended& ended) {
  ContainerEnded event;
  event.attempt = attempt;
  event.cause = static_cast<EndCause>(ended.cause);
  if (ended.signalled) {
    event.signal = ended.code;
  } else {
    event.exit_code = ended.code;
  }
  event.cpu_us = ended.cpu_us;
  event.memory_peak_bytes = ended.memory_peak_bytes;
  event.memory_limit_bytes = ended.memory_limit_bytes;
  return event;
}

// A shim's run directory, opened. -1 if there is none.
int OpenRunDirectory(int runtime_fd, const model::AttemptId& attempt) {
  return openat(runtime_fd, attempt.ToString().c_str(),
                O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

bool HasSocket(int run_dir) {
  struct stat facts;
  return run_dir >= 0 && fstatat(run_dir, launcher::kSocketFile, &facts, AT_SYMLINK_NOFOLLOW) == 0;
}

}  // namespace

bool Runner::Claim(const model::AttemptId& attempt) {
  const std::string name = attempt.ToString();
  mkdirat(runtime_fd_, name.c_str(), 0700);
  // Linked when it is whole: who finds it must know whose it is.
  const std::string whole = absl::StrCat(name, "/", launcher::kStartedFile, ".agent");
  const int fd = openat(runtime_fd_, whole.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  const bool written = write(fd, "agent", 5) == 5;
  close(fd);
  FAILPOINT("runner:claim-written");
  const bool linked =
      written && linkat(runtime_fd_, whole.c_str(), runtime_fd_,
                        absl::StrCat(name, "/", launcher::kStartedFile).c_str(), 0) == 0;
  FAILPOINT("runner:claimed");
  unlinkat(runtime_fd_, whole.c_str(), 0);
  return linked;
}

void Runner::Examine(Container* container) {
  const int run_dir = OpenRunDirectory(runtime_fd_, container->attempt);
  // The marker tells whether a shim ever had the attempt, its lock whether it lives.
  int marker =
      run_dir < 0 ? -1 : openat(run_dir, launcher::kStartedFile, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  const bool alive = marker >= 0 && flock(marker, LOCK_EX | LOCK_NB) != 0;
  enum { kAnswered, kAgain, kNoTrace, kLost } found = kLost;
  if (run_dir >= 0 && ReadExit(container, run_dir)) {
    found = kAnswered;
  } else if (marker >= 0 && alive) {
    found = ConnectTo(container, run_dir)              ? kAnswered
            : BootTimeNow().ms < container->give_up_ms ? kAgain
                                                       : kLost;
  } else if (marker < 0 && HasSocket(run_dir)) {
    // A shim had it: the marker was lost, and perhaps not the shim.
    found = ConnectTo(container, run_dir) ? kAnswered : errno == ECONNREFUSED ? kLost : kAgain;
  } else if (marker < 0) {
    // Nobody has it. So that nobody takes it behind our back, a shim of a former life above all
    // that is only just beginning, it is taken by us; a launch gives it back.
    found = Claim(container->attempt) ? kNoTrace : kAgain;
  } else if (struct stat facts; fstat(marker, &facts) == 0 && facts.st_size > 0) {
    found = kNoTrace;  // Taken by a former life of ours that died before it could launch.
  }
  if (marker >= 0) close(marker);
  if (run_dir >= 0) close(run_dir);
  switch (found) {
    case kAnswered:
      return;
    case kAgain:
      examine_again_.insert(container->attempt);
      return;
    case kNoTrace:
      if (container->forgotten || container->recovering) return Absent(container);
      return StartAgain(container);
    case kLost:
      return Lost(container);
  }
}

void Runner::Absent(Container* container) {
  absent_.insert(container->attempt);
  list_containers_ = true;
}

void Runner::TellAbsent(const std::vector<std::string>& groups) {
  std::map<model::AgentId, std::set<model::AttemptId>> others;
  for (const model::AttemptId& attempt : std::exchange(absent_, {})) {
    const auto found = containers_.find(attempt);
    if (found == containers_.end()) continue;
    if (std::find(groups.begin(), groups.end(), attempt.ToString()) != groups.end()) {
      Lost(&found->second);
    } else {
      others[found->second.agent].insert(attempt);
    }
  }
  for (const auto& [agent, attempts] : others) {
    const std::set<model::AttemptId> lived = KillStrays(
        sandboxes_->root(), agent,
        [&attempts = attempts](const model::AttemptId& one) { return attempts.count(one) != 0; });
    for (const model::AttemptId& attempt : attempts) {
      Container& container = containers_.at(attempt);
      if (lived.count(attempt) != 0) {
        Over(&container, ShimLost{attempt});
      } else if (container.forgotten) {
        Over(&container, NoTrace{attempt});
      } else {
        post_(NoTrace{attempt});  // `recovering` stays: it tells a launch that the marker is ours.
      }
    }
  }
}

void Runner::Lost(Container* container) {
  // Without a shim nobody has killed what the task left behind. Init dies with its shim; the
  // launcher makes sure of it, and removes the cgroups.
  if (container->destroying != 0) return;
  if (!launcher_.ready()) {
    to_destroy_.insert(container->attempt);
    return;
  }
  size_t killed = 0;
  if (!Facts().contained) {
    killed =
        KillStrays(sandboxes_->root(), container->agent, [container](const model::AttemptId& one) {
          return one == container->attempt;
        }).size();
  }
  if (launcher_.facts().contained) {
    LOG(WARNING) << "the shim of attempt " << container->attempt << " of task " << container->key
                 << " died without an exit status; its container is destroyed";
    container->destroying = launcher_.Destroy(container->attempt.ToString());
    requests_[container->destroying] = container->attempt;
    return;
  }
  LOG(WARNING) << "the shim of attempt " << container->attempt << " of task " << container->key
               << " died without an exit status; "
               << (killed == 0 ? "nothing of it lived" : "what lived of it was killed");
  Over(container, ShimLost{container->attempt});
}

bool Runner::ReadExit(Container* container, int run_dir) {
  const int fd = openat(run_dir, launcher::kExitFile, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return false;
  std::string text;
  char buffer[4096];
  ssize_t got;
  while ((got = read(fd, buffer, sizeof(buffer))) > 0) text.append(buffer, got);
  close(fd);
  launcher::Frame frame;
  if (launcher::TakeFrame(&text, &frame) != launcher::Parsed::kFrame) return false;
  const model::AttemptId attempt = container->attempt;
  Take(container, frame);
  // A word that says nothing is none.
  const auto found = containers_.find(attempt);
  return found == containers_.end() || found->second.over;
}

bool Runner::ConnectTo(Container* container, int run_dir) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  // By way of the open directory: the path itself may be longer than an address allows.
  const std::string path = absl::StrCat("/proc/self/fd/", run_dir, "/", launcher::kSocketFile);
  CHECK_LT(path.size(), sizeof(address.sun_path));
  memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    const int error = errno;
    close(fd);
    errno = error;
    return false;
  }
  container->fd = fd;
  container->input.clear();
  container->output.clear();
  by_fd_[fd] = container->attempt;
  Watch(*container, false, true);
  Say(container, launcher::EncodeFrame(launcher::Type::kHello, ""));
  if (container->forgotten) container->kill_ms = 0;
  // What was said on a connection that broke may not have been heard.
  if (container->kill_ms.has_value()) {
    Say(container,
        launcher::EncodeFrame(launcher::Type::kKill, launcher::EncodeInt64(*container->kill_ms)));
  }
  return true;
}

void Runner::Hear(Container* container) {
  const int fd = container->fd;
  char buffer[4096];
  bool ended = false;
  for (;;) {
    const ssize_t got = recv(container->fd, buffer, sizeof(buffer), MSG_DONTWAIT);
    if (got > 0) {
      container->input.append(buffer, got);
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    ended = got == 0 || errno != EAGAIN;
    break;
  }
  const model::AttemptId attempt = container->attempt;
  launcher::Frame frame;
  launcher::Parsed parsed;
  while ((parsed = launcher::TakeFrame(&container->input, &frame)) == launcher::Parsed::kFrame) {
    Take(container, frame);
    // It may be gone, or have found another connection.
    if (containers_.count(attempt) == 0 || container->fd != fd) return;
  }
  if (!ended && parsed != launcher::Parsed::kBroken) return;
  Disconnect(container);
  if (container->over) return;
  container->give_up_ms = BootTimeNow().ms + kListenWaitMs;
  Examine(container);
}

void Runner::Take(Container* container, const launcher::Frame& frame) {
  const model::AttemptId attempt = container->attempt;
  switch (frame.type) {
    case launcher::Type::kStarted: {
      int64_t pid = 0;
      if (!launcher::DecodeInt64(frame.body, &pid) || container->forgotten) return;
      FAILPOINT("runner:started-heard");
      container->recovering = false;
      container->launch = nullptr;
      post_(ContainerStarted{attempt, pid});
      return;
    }
    case launcher::Type::kLaunchFailed:
      return Over(container, LaunchFailed{attempt, frame.body});
    case launcher::Type::kEnded: {
      launcher::Ended ended;
      if (!launcher::DecodeEnded(frame.body, &ended)) return;
      FAILPOINT("runner:ended-heard");
      if (!ended.left.empty()) LOG(ERROR) << "attempt " << attempt << ": " << ended.left;
      return Over(container, EventOf(attempt, ended));
    }
    case launcher::Type::kTaken:
      // A shim of a former life was faster: that one is the task's.
      Disconnect(container);
      container->give_up_ms = BootTimeNow().ms + kListenWaitMs;
      return Examine(container);
    default:
      return;  // A newer shim's; it knows that this agent ignores it.
  }
}

void Runner::Disconnect(Container* container) {
  if (container->fd >= 0) {
    by_fd_.erase(container->fd);
    close(container->fd);  // Leaves the epoll set by itself.
    container->fd = -1;
  }
}

void Runner::Say(Container* container, const std::string& frame) {
  if (container->fd < 0) return;
  container->output += frame;
  Flush(container);
}

void Runner::Flush(Container* container) {
  const bool waited = container->fd >= 0 && !container->output.empty();
  while (container->fd >= 0 && !container->output.empty()) {
    const ssize_t sent = send(container->fd, container->output.data(), container->output.size(),
                              MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) container->output.clear();  // Hear will find it closed.
    if (sent <= 0) break;
    container->output.erase(0, sent);
  }
  if (waited) Watch(*container, !container->output.empty(), false);
}

void Runner::Watch(const Container& container, bool writing, bool added) {
  epoll_event event = {};
  event.events = writing ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.fd = container.fd;
  epoll_ctl(epoll_, added ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, container.fd, &event);
}

}  // namespace proffer::agent
