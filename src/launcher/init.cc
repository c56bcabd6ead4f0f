// Everything here runs in a copy of a small single-threaded process, so memory may be used freely.
#include "launcher/init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "isolator/filesystem/mounts.h"
#include "isolator/process/privileges.h"
#include "launcher/start_task.h"

namespace proffer::launcher {
namespace {

using isolator::LaunchPlan;

constexpr int kChannel = 3;

// With `pid`, as credentials: the kernel translates it into what the receiver sees.
void Report(const InitReport& report, const std::string& text, pid_t pid) {
  iovec parts[2] = {{const_cast<InitReport*>(&report), sizeof(report)},
                    {const_cast<char*>(text.data()), text.size()}};
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = text.empty() ? 1 : 2;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred))] = {};
  if (pid > 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_CREDENTIALS;
    header->cmsg_len = CMSG_LEN(sizeof(ucred));
    const ucred credentials = {pid, geteuid(), getegid()};
    memcpy(CMSG_DATA(header), &credentials, sizeof(credentials));
  }
  if (sendmsg(kChannel, &message, MSG_NOSIGNAL) < 0) _exit(1);  // Nobody watches any more.
}

[[noreturn]] void Fail(const std::string& why) {
  Report({InitReport::kFailed, 0, 0}, why, 0);
  _exit(1);
}

bool Receive(InitOrder* order) {
  ssize_t got;
  do {
    got = recv(kChannel, order, sizeof(*order), 0);
  } while (got < 0 && errno == EINTR);
  return got == sizeof(*order);
}

// Reaps; the end of the task itself is told and ends the container.
void Reap(pid_t task) {
  int status = 0;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    if (pid != task) continue;
    const bool signalled = WIFSIGNALED(status);
    Report({InitReport::kExited, signalled ? 1 : 0,
            signalled ? WTERMSIG(status) : WEXITSTATUS(status)},
           "", 0);
    _exit(0);
  }
}

[[noreturn]] void Watch(pid_t task, int signals) {
  pollfd wait[2] = {{signals, POLLIN, 0}, {kChannel, POLLIN, 0}};
  for (;;) {
    if (poll(wait, 2, -1) < 0) continue;
    if (wait[0].revents != 0) {
      signalfd_siginfo unused;
      while (read(signals, &unused, sizeof(unused)) > 0) continue;
      Reap(task);
    }
    if (wait[1].revents != 0) {
      InitOrder order;
      if (!Receive(&order)) _exit(1);  // The shim is gone.
      // Not reaped yet, so its number, and that of its group, is still its own.
      if (order.kind == InitOrder::kSignal) kill(-task, order.signal);
    }
  }
}

[[noreturn]] void RunInit(const LaunchPlan& plan, const ShimContext& context, int channel,
                          int output, int error) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_NAME, "proffer-init");
  // The shim's descriptors are not for here: three stay, at numbers of their own.
  const int kept[3] = {fcntl(channel, F_DUPFD_CLOEXEC, 10), fcntl(output, F_DUPFD_CLOEXEC, 10),
                       fcntl(error, F_DUPFD_CLOEXEC, 10)};
  for (int i = 0; i < 3; ++i) dup3(kept[i], kChannel + i, O_CLOEXEC);
  syscall(SYS_close_range, static_cast<unsigned>(kChannel + 3), ~0u, 0);

  InitOrder order;
  if (!Receive(&order)) _exit(1);
  if ((plan.namespaces & isolator::kCgroupNamespace) != 0 && unshare(CLONE_NEWCGROUP) != 0) {
    Fail(std::string("no cgroup namespace could be made: ") + strerror(errno));
  }
  if ((plan.namespaces & isolator::kMountNamespace) != 0) {
    const std::string why = isolator::MakeMounts(plan, context.devices);
    if (!why.empty()) Fail(why);
  }
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  const int signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);

  std::string why;
  const pid_t task = StartTask(plan, context.bounding, kChannel + 1, kChannel + 2, &why);
  if (task < 0) Fail(why);
  close(kChannel + 1);
  close(kChannel + 2);
  Report({InitReport::kStarted, 0, 0}, "", task);
  // From here it only signals and reaps.
  prctl(PR_SET_DUMPABLE, 0);
  isolator::HoldOnly(uint64_t{1} << CAP_KILL);
  Watch(task, signals);
}

}  // namespace

pid_t CloneInit(const LaunchPlan& plan, const ShimContext& context, int cgroup, int channel,
                int output, int error) {
  clone_args args = {};
  args.exit_signal = SIGCHLD;
  const auto has = [&plan](isolator::Namespace which) { return (plan.namespaces & which) != 0; };
  if (has(isolator::kPidNamespace)) args.flags |= CLONE_NEWPID;
  if (has(isolator::kMountNamespace)) args.flags |= CLONE_NEWNS;
  if (has(isolator::kIpcNamespace)) args.flags |= CLONE_NEWIPC;
  if (has(isolator::kUtsNamespace)) args.flags |= CLONE_NEWUTS;
  if (cgroup >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<uint64_t>(cgroup);
  }
  const pid_t pid = static_cast<pid_t>(syscall(SYS_clone3, &args, sizeof(args)));
  if (pid == 0) RunInit(plan, context, channel, output, error);
  return pid;
}

bool ReceiveReport(int channel, InitReport* report, pid_t* pid, std::string* text, bool* closed) {
  char buffer[4096];
  iovec parts[2] = {{report, sizeof(*report)}, {buffer, sizeof(buffer)}};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred))];
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  ssize_t got = recvmsg(channel, &message, MSG_DONTWAIT);
  // An init that has ended with an order unread leaves this error in front of its last report.
  if (got < 0 && errno == ECONNRESET) {
    message.msg_controllen = sizeof(control);
    got = recvmsg(channel, &message, MSG_DONTWAIT);
  }
  *closed = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
  if (got < static_cast<ssize_t>(sizeof(*report))) return false;
  text->assign(buffer, static_cast<size_t>(got) - sizeof(*report));
  *pid = 0;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_CREDENTIALS) continue;
    ucred credentials;
    memcpy(&credentials, CMSG_DATA(header), sizeof(credentials));
    *pid = credentials.pid;
  }
  return true;
}

void SendOrder(int channel, const InitOrder& order) {
  // Without a receiver there is nobody left to signal.
  if (send(channel, &order, sizeof(order), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) return;
}

}  // namespace proffer::launcher
