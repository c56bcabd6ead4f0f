// The runner's life, its thread, and the core's commands.
#include "agent/runner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/strays.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "glog/logging.h"
#include "isolator/filesystem/delete_tree.h"
#include "launcher/failpoint.h"

namespace proffer::agent {
namespace {

constexpr int kExamineAgainMs = 5;
constexpr int kConnectAgainMs = 20;

}  // namespace

absl::StatusOr<std::unique_ptr<Runner>> Runner::Create(Options options, Post post) {
  ASSIGN_OR_RETURN(std::unique_ptr<Sandboxes> sandboxes,
                   Sandboxes::Open(options.work_dir, options.keep_ended_sandboxes));
  RETURN_IF_ERROR(MakeDirectories(options.runtime_dir, 0700));
  const int fd = open(options.runtime_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("could not open ", options.runtime_dir));
  }
  return std::unique_ptr<Runner>(
      new Runner(std::move(options), std::move(post), std::move(sandboxes), fd));
}

Runner::Runner(Options options, Post post, std::unique_ptr<Sandboxes> sandboxes, int runtime_fd)
    : options_(std::move(options)),
      post_(std::move(post)),
      sandboxes_(std::move(sandboxes)),
      runtime_fd_(runtime_fd),
      launcher_(options_.launcher_socket) {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.fd = wake_;
  CHECK_EQ(epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event), 0) << strerror(errno);
  sandboxes_->OnLeft([this](const std::string& path) {
    {
      MutexLock lock(&mutex_);
      sandboxes_left_.push_back(path);
    }
    eventfd_write(wake_, 1);
  });
  thread_ = std::thread([this] { Run(); });
}

Runner::~Runner() {
  sandboxes_->OnLeft(nullptr);
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
  }
  eventfd_write(wake_, 1);
  thread_.join();
  for (const auto& [fd, attempt] : by_fd_) close(fd);
  close(epoll_);
  close(wake_);
  close(runtime_fd_);
}

void Runner::Do(const ContainerCommand& command) {
  {
    MutexLock lock(&mutex_);
    if (const auto* launch = std::get_if<LaunchContainer>(&command)) {
      waiting_.insert(launch->launch->attempt);
    }
    const auto* kill = std::get_if<KillContainer>(&command);
    if (kill != nullptr && waiting_.erase(kill->attempt) != 0) {
      queue_.emplace_back(Cancelled{kill->attempt});
    } else {
      queue_.emplace_back(command);
    }
  }
  eventfd_write(wake_, 1);
}

isolator::MachineFacts Runner::machine() const {
  MutexLock lock(&mutex_);
  return machine_;
}

void Runner::Run() {
  std::deque<Work> work;
  std::vector<std::string> sandboxes_left;
  epoll_event events[64];
  for (;;) {
    if (launcher_.Connect()) WatchLauncher();
    int timeout_ms = launcher_.fd() >= 0 ? -1 : kConnectAgainMs;
    if (!examine_again_.empty()) timeout_ms = kExamineAgainMs;
    const int count = epoll_wait(epoll_, events, 64, timeout_ms);
    for (int i = 0; i < count; ++i) {
      const int fd = events[i].data.fd;
      if (fd == wake_) {
        eventfd_t unused;
        eventfd_read(wake_, &unused);
        continue;
      }
      if (fd == launcher_.fd()) {
        ServeLauncher();
        continue;
      }
      auto found = by_fd_.find(fd);
      if (found == by_fd_.end()) continue;
      const model::AttemptId attempt = found->second;
      if ((events[i].events & EPOLLOUT) != 0) Flush(&containers_.at(attempt));
      if ((events[i].events & ~EPOLLOUT) != 0) Hear(&containers_.at(attempt));
    }
    {
      MutexLock lock(&mutex_);
      if (stopping_) return;
      work.swap(queue_);
      if (launcher_.ready()) sandboxes_left.swap(sandboxes_left_);
    }
    for (const Work& one : work) Carry(one);
    work.clear();
    if (list_containers_ && launcher_.ready()) {
      list_containers_ = false;
      launcher_.ListContainers();
    }
    for (const std::string& path : sandboxes_left) launcher_.DeleteSandbox(path);
    sandboxes_left.clear();
    for (const model::AttemptId& attempt : std::exchange(examine_again_, {})) {
      auto container = containers_.find(attempt);
      if (container != containers_.end()) Examine(&container->second);
    }
    GiveUpWaiting();
    if (launcher_.fd() >= 0) WatchLauncher();
  }
}

void Runner::Carry(const Work& work) {
  if (const auto* cancelled = std::get_if<Cancelled>(&work)) {
    post_(LaunchCancelled{cancelled->attempt});
    return;
  }
  std::visit(
      [this](const auto& command) {
        using Command = std::decay_t<decltype(command)>;
        if constexpr (std::is_same_v<Command, LaunchContainer>) Launch(command);
        if constexpr (std::is_same_v<Command, KillContainer>) Kill(command);
        if constexpr (std::is_same_v<Command, ForgetContainer>) Forget(command);
        if constexpr (std::is_same_v<Command, RecoverContainer>) Recover(command);
        if constexpr (std::is_same_v<Command, KeepContainers>) Keep(command);
      },
      std::get<ContainerCommand>(work));
}

void Runner::Launch(const LaunchContainer& command) {
  const model::LaunchTask& order = *command.launch;
  {
    MutexLock lock(&mutex_);
    if (waiting_.erase(order.attempt) == 0) return;  // A kill overtook it.
  }
  Container& container = containers_[order.attempt];
  container.attempt = order.attempt;
  container.key = {order.framework, order.task.id};
  container.agent = command.agent;
  container.launch = command.launch;
  Start(&container);
}

void Runner::Kill(const KillContainer& command) {
  auto found = containers_.find(command.attempt);
  if (found == containers_.end() || found->second.over) return;
  Container& container = found->second;
  if (waiting_for_launcher_.erase(command.attempt) != 0) {
    return Over(&container, LaunchCancelled{command.attempt});
  }
  container.kill_ms = std::min(container.kill_ms.value_or(command.grace_ms), command.grace_ms);
  Say(&container,
      launcher::EncodeFrame(launcher::Type::kKill, launcher::EncodeInt64(command.grace_ms)));
  FAILPOINT("runner:kill-said");
}

void Runner::Forget(const ForgetContainer& command) {
  Discard(command.attempt);
  FAILPOINT("runner:discarded");
  sandboxes_->Ended(command.key, command.attempt);
}

void Runner::Discard(const model::AttemptId& attempt) {
  auto found = containers_.find(attempt);
  if (found == containers_.end()) return RemoveRunDirectory(attempt);
  Container& container = found->second;
  if (!container.over && (container.fd >= 0 || examine_again_.count(attempt) != 0)) {
    // It may live still; its end removes it.
    container.forgotten = true;
    Say(&container, launcher::EncodeFrame(launcher::Type::kKill, launcher::EncodeInt64(0)));
    return;
  }
  Say(&container, launcher::EncodeFrame(launcher::Type::kRelease, ""));
  FAILPOINT("runner:released");
  Disconnect(&container);
  Erase(attempt);
  RemoveRunDirectory(attempt);
}

void Runner::Recover(const RecoverContainer& command) {
  const model::LaunchTask& order = *command.launch;
  Container& container = containers_[order.attempt];
  container.attempt = order.attempt;
  container.key = {order.framework, order.task.id};
  container.agent = command.agent;
  container.recovering = true;
  container.give_up_ms = BootTimeNow().ms + kListenWaitMs;
  Examine(&container);
}

void Runner::Keep(const KeepContainers& command) {
  const std::set<model::AttemptId> keep(command.attempts.begin(), command.attempts.end());
  keep_ = keep;
  std::set<model::AttemptId> remembered(command.ended.begin(), command.ended.end());
  remembered.insert(keep.begin(), keep.end());
  sandboxes_->AdoptEnded(remembered);
  std::vector<model::AttemptId> others;
  const int fd = dup(runtime_fd_);
  DIR* stream = fd < 0 ? nullptr : fdopendir(fd);
  if (stream == nullptr) return;
  rewinddir(stream);
  while (const dirent* entry = readdir(stream)) {
    model::AttemptId attempt;
    if (ParseAttempt(entry->d_name, &attempt) && keep.count(attempt) == 0) {
      others.push_back(attempt);
    }
  }
  closedir(stream);
  for (const model::AttemptId& attempt : others) {
    if (containers_.count(attempt) != 0) {
      Discard(attempt);
      continue;
    }
    Container& container = containers_[attempt];
    container.attempt = attempt;
    container.forgotten = true;
    container.give_up_ms = BootTimeNow().ms + kListenWaitMs;
    Examine(&container);
  }
  // Nor need a run directory be there: control groups tell of containers, environments of the rest.
  list_containers_ = true;
  for (const model::AttemptId& attempt :
       KillStrays(sandboxes_->root(), model::AgentId(), [this](const model::AttemptId& one) {
         return keep_->count(one) == 0 && containers_.count(one) == 0;
       })) {
    LOG(WARNING) << "what lived of attempt " << attempt << " belonged to no task; it was killed";
  }
}

void Runner::Over(Container* container, Event event) {
  if (container->over) return;
  container->over = true;
  container->recovering = false;
  if (!container->forgotten) {
    post_(std::move(event));
    return;
  }
  const model::AttemptId attempt = container->attempt;
  Say(container, launcher::EncodeFrame(launcher::Type::kRelease, ""));
  Disconnect(container);
  Erase(attempt);
  RemoveRunDirectory(attempt);
}

void Runner::Erase(const model::AttemptId& attempt) {
  examine_again_.erase(attempt);
  waiting_for_launcher_.erase(attempt);
  to_destroy_.erase(attempt);
  absent_.erase(attempt);
  if (auto container = containers_.find(attempt); container != containers_.end()) {
    requests_.erase(container->second.launching);
    requests_.erase(container->second.destroying);
  }
  if (keep_.has_value()) keep_->erase(attempt);
  containers_.erase(attempt);
}

void Runner::RemoveRunDirectory(const model::AttemptId& attempt) {
  const std::string left = isolator::DeleteTree(runtime_fd_, attempt.ToString());
  if (!left.empty()) LOG(WARNING) << options_.runtime_dir << ": " << left;
}

}  // namespace proffer::agent
