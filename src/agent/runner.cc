// Starting, hearing and finding shims.
#include "agent/runner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/launch_plan.h"
#include "agent/strays.h"
#include "agent/users.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "glog/logging.h"
#include "isolator/filesystem/delete_tree.h"
#include "isolator/pipeline.h"

namespace proffer::agent {
namespace {

// A shim that lives and has neither told its end nor listens is between two of its steps.
constexpr int64_t kListenWaitMs = 10'000;
constexpr int kExamineAgainMs = 5;
constexpr int kConnectAgainMs = 20;
// A launcher that dies each time it is asked for the same container is not asked for ever.
constexpr int kMostTries = 5;

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

void Runner::Start(Container* container) {
  if (!launcher_.ready()) {
    waiting_for_launcher_.emplace(container->attempt, BootTimeNow() + options_.launcher_wait_ms);
    return;
  }
  waiting_for_launcher_.erase(container->attempt);
  const absl::Status spawned = Spawn(container);
  if (!spawned.ok()) {
    Over(container, LaunchFailed{container->attempt, std::string(spawned.message())});
  }
}

isolator::MachineFacts Runner::Facts() const { return FactsFor(options_, launcher_.facts()); }

isolator::MachineFacts Runner::FactsFor(const Options& options, isolator::MachineFacts facts) {
  if (options.isolation == Isolation::kPosix && facts.contained) {
    facts.contained = false;
    facts.why_not = "--isolation=posix";
  }
  return facts;
}

absl::StatusOr<isolator::LaunchPlan> Runner::PlanLaunch(const Options& options,
                                                        const isolator::MachineFacts& facts,
                                                        const model::LaunchTask& order,
                                                        const model::AgentId& agent,
                                                        const std::string& sandbox) {
  if (options.isolation == Isolation::kContainers && !facts.contained) {
    return absl::FailedPreconditionError(
        absl::StrCat("the agent's --isolation=containers cannot be kept: ", facts.why_not));
  }
  ASSIGN_OR_RETURN(const CommandSpec spec, options.decode(order.task.payload));
  ASSIGN_OR_RETURN(const isolator::UserNeed user,
                   ResolveUser(spec.user.empty() ? options.default_user : spec.user,
                               facts.root ? 0 : geteuid()));
  PlanContext context;
  context.host = options.host;
  context.agent = agent;
  context.run_dir = absl::StrCat(options.runtime_dir, "/", order.attempt.ToString());
  context.sandbox = sandbox;
  context.log_file_bytes = options.log_file_bytes;
  context.log_files = options.log_files;
  context.kill_grace_ms = options.kill_grace_ms;
  context.cpu_quota = options.cpu_quota;
  context.pids_limit = options.pids_limit;
  return MakePlan(order, spec, user, facts, context);
}

absl::Status Runner::Spawn(Container* container) {
  ASSIGN_OR_RETURN(const isolator::LaunchPlan plan,
                   PlanLaunch(options_, Facts(), *container->launch, container->agent,
                              sandboxes_->PathOf(container->key, container->attempt)));
  RETURN_IF_ERROR(sandboxes_->Make(container->key, container->attempt));
  if (mkdirat(runtime_fd_, plan.name.c_str(), 0700) != 0 && errno != EEXIST) {
    return absl::ErrnoToStatus(errno, absl::StrCat("could not make ", plan.run_dir));
  }
  // Recovery may have claimed the attempt, so that no shim of a former life could start it.
  if (container->recovering) {
    unlinkat(runtime_fd_, absl::StrCat(plan.name, "/", launcher::kStartedFile).c_str(), 0);
    container->recovering = false;
  }
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    return absl::ErrnoToStatus(errno, "no connection to a shim could be made");
  }
  ++container->tries;
  container->fd = pair[0];
  by_fd_[container->fd] = container->attempt;
  Watch(*container, false, true);
  requests_[launcher_.Launch(plan, pair[1])] = container->attempt;
  return absl::OkStatus();
}

void Runner::StartAgain(Container* container) {
  if (container->kill_ms.has_value()) return Over(container, LaunchCancelled{container->attempt});
  if (container->tries >= kMostTries) {
    return Over(container, LaunchFailed{container->attempt,
                                        "its shim ended before it could start the program"});
  }
  container->recovering = true;  // The marker is ours.
  Start(container);
}

void Runner::WatchLauncher() {
  epoll_event event = {};
  event.events = launcher_.wants_to_write() ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.fd = launcher_.fd();
  const bool added = watched_launcher_ != launcher_.fd();
  epoll_ctl(epoll_, added ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, launcher_.fd(), &event);
  watched_launcher_ = launcher_.fd();
}

void Runner::ServeLauncher() {
  std::vector<LauncherLink::Answer> answers;
  const bool alive = launcher_.Serve(&answers);
  for (const LauncherLink::Answer& answer : answers) TakeAnswer(answer);
  if (!alive) LoseLauncher();
}

void Runner::LoseLauncher() {
  LOG(WARNING) << "the launcher at " << launcher_.socket() << " has ended; tasks go on";
  launcher_.Disconnect();
  watched_launcher_ = -1;
  // Launches that it did not carry out are told by their descriptors; destructions are asked again.
  for (const auto& [request, attempt] : std::exchange(requests_, {})) {
    auto found = containers_.find(attempt);
    if (found != containers_.end() && found->second.destroying == request) {
      found->second.destroying = 0;
      to_destroy_.insert(attempt);
    }
  }
}

void Runner::TakeAnswer(const LauncherLink::Answer& answer) {
  if (answer.type == launcher::Type::kWelcome) {
    const std::string missing = isolator::NotEnforced(Facts());
    if (!std::exchange(said_not_enforced_, true)) {
      LOG(INFO) << "launcher at " << launcher_.socket() << "; "
                << (missing.empty() ? "tasks run in containers" : missing);
    }
    {
      MutexLock lock(&mutex_);
      machine_ = Facts();
    }
    list_containers_ = keep_.has_value();  // A new launcher may have found what the old one left.
    for (const auto& [attempt, until] : std::map<model::AttemptId, Time>(waiting_for_launcher_)) {
      auto found = containers_.find(attempt);
      if (found != containers_.end() && !found->second.over) Start(&found->second);
    }
    waiting_for_launcher_.clear();
    for (const model::AttemptId& attempt : std::exchange(to_destroy_, {})) {
      auto found = containers_.find(attempt);
      if (found != containers_.end()) Lost(&found->second);
    }
    return;
  }
  if (answer.type == launcher::Type::kContainers) return DestroyOthers(answer.containers);
  const auto request = requests_.find(answer.request);
  if (request == requests_.end()) {
    if (!answer.text.empty()) LOG(WARNING) << "launcher: " << answer.text;
    return;
  }
  const auto found = containers_.find(request->second);
  requests_.erase(request);
  if (found == containers_.end()) return;
  Container* container = &found->second;
  if (container->destroying == answer.request) {
    if (!answer.text.empty()) LOG(ERROR) << answer.text;
    container->destroying = 0;
    return Over(container, ShimLost{container->attempt});
  }
  if (answer.type != launcher::Type::kRefused) return;
  Disconnect(container);
  Over(container,
       LaunchFailed{container->attempt, absl::StrCat("the launcher refused it: ", answer.text)});
}

void Runner::GiveUpWaiting() {
  if (waiting_for_launcher_.empty()) return;
  const Time now = BootTimeNow();
  std::vector<model::AttemptId> late;
  for (const auto& [attempt, until] : waiting_for_launcher_) {
    if (until <= now) late.push_back(attempt);
  }
  for (const model::AttemptId& attempt : late) {
    waiting_for_launcher_.erase(attempt);
    const auto found = containers_.find(attempt);
    if (found == containers_.end() || found->second.over) continue;
    Over(&found->second,
         LaunchFailed{attempt, absl::StrCat("no launcher answers at ", launcher_.socket(),
                                            "; is proffer-launcher running?")});
  }
}

void Runner::DestroyOthers(const std::vector<std::string>& containers) {
  for (const std::string& name : containers) {
    model::AttemptId attempt;
    if (ParseAttempt(name, &attempt) &&
        (containers_.count(attempt) != 0 || keep_->count(attempt) != 0)) {
      continue;
    }
    LOG(WARNING) << "container " << name << " belongs to no task; it is destroyed";
    launcher_.Destroy(name);
  }
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
}

void Runner::Forget(const ForgetContainer& command) {
  Discard(command.attempt);
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
  sandboxes_->AdoptEnded(keep);
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
  list_containers_ = true;
}

bool Runner::Claim(const model::AttemptId& attempt) {
  const std::string name = attempt.ToString();
  mkdirat(runtime_fd_, name.c_str(), 0700);
  // Linked when it is whole: who finds it must know whose it is.
  const std::string whole = absl::StrCat(name, "/", launcher::kStartedFile, ".agent");
  const int fd = openat(runtime_fd_, whole.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  const bool written = write(fd, "agent", 5) == 5;
  close(fd);
  const bool linked =
      written && linkat(runtime_fd_, whole.c_str(), runtime_fd_,
                        absl::StrCat(name, "/", launcher::kStartedFile).c_str(), 0) == 0;
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
      if (container->forgotten) return Over(container, NoTrace{container->attempt});
      if (container->recovering) {
        // `recovering` stays: it tells a launch that the marker is ours.
        post_(NoTrace{container->attempt});
        return;
      }
      return StartAgain(container);
    case kLost:
      return Lost(container);
  }
}

void Runner::Lost(Container* container) {
  // Without a shim nobody has killed what the task left behind. Init dies with its shim; the
  // launcher makes sure of it, and removes the cgroups.
  if (launcher_.facts().contained || !launcher_.ready()) {
    if (container->destroying != 0) return;
    if (!launcher_.ready()) {
      to_destroy_.insert(container->attempt);
      return;
    }
    LOG(WARNING) << "the shim of attempt " << container->attempt << " of task " << container->key
                 << " died without an exit status; its container is destroyed";
    container->destroying = launcher_.Destroy(container->attempt.ToString());
    requests_[container->destroying] = container->attempt;
    return;
  }
  const int killed =
      container->agent.empty() ? 0 : KillStrays(container->agent, container->attempt);
  LOG(WARNING) << "the shim of attempt " << container->attempt << " of task " << container->key
               << " died without an exit status; " << killed << " processes were killed";
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
  Take(container, frame);
  return true;
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
    close(fd);
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

void Runner::Disconnect(Container* container) {
  if (container->fd >= 0) {
    by_fd_.erase(container->fd);
    close(container->fd);  // Leaves the epoll set by itself.
    container->fd = -1;
  }
}

void Runner::Erase(const model::AttemptId& attempt) {
  examine_again_.erase(attempt);
  waiting_for_launcher_.erase(attempt);
  to_destroy_.erase(attempt);
  if (keep_.has_value()) keep_->erase(attempt);
  containers_.erase(attempt);
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

void Runner::RemoveRunDirectory(const model::AttemptId& attempt) {
  const std::string left = isolator::DeleteTree(runtime_fd_, attempt.ToString());
  if (!left.empty()) LOG(WARNING) << options_.runtime_dir << ": " << left;
}

}  // namespace proffer::agent
