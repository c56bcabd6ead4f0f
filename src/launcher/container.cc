#include "launcher/container.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "launcher/failpoint.h"
#include "launcher/init.h"
#include "launcher/start_task.h"
#include "launcher/sweep.h"

namespace proffer::launcher {
namespace {

constexpr int kRemoveMs = 2'000;

}  // namespace

Container::Container(const isolator::LaunchPlan& plan, const ShimContext& context)
    : plan_(plan), context_(context) {
  if (plan.use_cgroups) {
    group_.emplace(isolator::RealKernel(), context.world, context.cgroup_root + "/" + plan.name);
  }
}

Container::~Container() {
  if (channel_ >= 0) close(channel_);
  if (out_of_memory_ >= 0) close(out_of_memory_);
}

Container::News Container::Start(int output, int error) {
  News news;
  if (group_.has_value()) {
    news.failed = group_->Create(plan_.cgroup);
    FAILPOINT("shim:cgroups-made");
    if (!news.failed.empty()) return news;
    out_of_memory_ = group_->OpenOutOfMemoryEvent();
  }
  if (has_init()) return StartInit(output, error);
  child_ = std::max<pid_t>(StartTask(plan_, context_.bounding, output, error, &news.failed), 0);
  news.started = child_;
  return news;
}

Container::News Container::StartInit(int output, int error) {
  News news;
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
    news.failed = std::string("no connection to init could be made: ") + strerror(errno);
    return news;
  }
  channel_ = pair[0];
  const int on = 1;
  setsockopt(channel_, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
  const int cgroup = group_.has_value() ? group_->OpenForClone() : -1;
  child_ = CloneInit(plan_, context_, cgroup, pair[1], output, error);
  const int clone_error = errno;
  if (cgroup >= 0) close(cgroup);
  close(pair[1]);
  if (child_ < 0) {
    child_ = 0;
    news.failed = std::string("no container could be made: ") + strerror(clone_error);
    return news;
  }
  FAILPOINT("shim:init-cloned");
  if (group_.has_value()) news.failed = group_->Attach(child_);
  FAILPOINT("shim:cgroups-entered");
  if (news.failed.empty()) SendOrder(channel_, {InitOrder::kGo, 0});
  return news;
}

Container::News Container::Listen() {
  News news;
  Hear(&news);
  Reap(&news);
  return news;
}

void Container::Hear(News* news) {
  InitReport report;
  std::string text;
  pid_t pid = 0;
  bool closed = false;
  while (channel_ >= 0 && ReceiveReport(channel_, &report, &pid, &text, &closed)) {
    switch (report.kind) {
      case InitReport::kStarted:
        news->started = pid;
        break;
      case InitReport::kFailed:
        news->failed = text;
        told_end_ = true;
        break;
      case InitReport::kExited:
        news->ended = true;
        news->signalled = report.signalled != 0;
        news->code = report.code;
        told_end_ = true;
        break;
      default:
        break;
    }
  }
  if (channel_ >= 0 && closed) {
    close(channel_);
    channel_ = -1;
  }
}

void Container::Reap(News* news) {
  for (;;) {
    siginfo_t info = {};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return;
    if (info.si_pid == child_) {
      // What init has said last counts more than how init itself ended.
      Hear(news);
      // Still a zombie, so nobody else can have its number: its group can be killed safely.
      if (!has_init()) kill(-child_, SIGKILL);
      if (!told_end_) {
        told_end_ = true;
        news->ended = true;
        news->signalled = info.si_code != CLD_EXITED || has_init();
        news->code = has_init() ? SIGKILL : info.si_status;
      }
      child_ = 0;
    }
    waitpid(info.si_pid, nullptr, 0);
  }
}

bool Container::RanOutOfMemory() {
  eventfd_t unused;
  if (out_of_memory_ >= 0) eventfd_read(out_of_memory_, &unused);
  return group_.has_value() && group_->OomKills() > 0;
}

void Container::Signal(int number) {
  if (channel_ >= 0) {
    SendOrder(channel_, {InitOrder::kSignal, number});
  } else if (child_ > 0 && !has_init()) {
    kill(-child_, number);
  }
}

void Container::Kill() {
  // Not reaped, so the number is its own. Init takes the whole pid namespace with it.
  if (child_ > 0) kill(has_init() ? child_ : -child_, SIGKILL);
  if (group_.has_value()) group_->KillAll();
}

bool Container::Swept() {
  if (child_ > 0) {
    Kill();
    return false;
  }
  siginfo_t info = {};
  if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0) return errno == ECHILD;
  KillChildren();  // What has lost its parent is ours: we are a subreaper.
  return false;
}

bool Container::Account(Ended* ended) const {
  if (!group_.has_value()) return false;
  const isolator::CgroupUsage usage = group_->FinalUsage();
  ended->cpu_us = usage.cpu_us;
  ended->memory_peak_bytes = usage.memory_peak_bytes;
  ended->memory_limit_bytes = plan_.cgroup.memory_bytes;
  return usage.oom_kills > 0;
}

std::string Container::Remove() {
  if (!group_.has_value()) return "";
  FAILPOINT("shim:swept");
  // With init its whole pid namespace has died, so there is nobody, but for strangers.
  const std::string left = group_->Destroy(kRemoveMs);
  FAILPOINT("shim:cgroups-removed");
  return left;
}

}  // namespace proffer::launcher
