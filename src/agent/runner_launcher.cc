// The runner and its launcher: planning, asking, waiting for one, and what one has left.
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/launch_plan.h"
#include "agent/runner.h"
#include "agent/users.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "glog/logging.h"
#include "isolator/pipeline.h"
#include "launcher/failpoint.h"

namespace proffer::agent {
namespace {

// A launcher that dies each time it is asked for the same container is not asked for ever.
constexpr int kMostTries = 5;

}  // namespace

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
  FAILPOINT("runner:sandbox-made");
  if (mkdirat(runtime_fd_, plan.name.c_str(), 0700) != 0 && errno != EEXIST) {
    return absl::ErrnoToStatus(errno, absl::StrCat("could not make ", plan.run_dir));
  }
  // Recovery may have claimed the attempt, so that no shim of a former life could start it.
  if (container->recovering) {
    unlinkat(runtime_fd_, absl::StrCat(plan.name, "/", launcher::kStartedFile).c_str(), 0);
    container->recovering = false;
    FAILPOINT("runner:claim-given-back");
  }
  FAILPOINT("runner:run-directory-made");
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    return absl::ErrnoToStatus(errno, "no connection to a shim could be made");
  }
  ++container->tries;
  container->fd = pair[0];
  by_fd_[container->fd] = container->attempt;
  Watch(*container, false, true);
  requests_.erase(container->launching);
  container->launching = launcher_.Launch(plan, pair[1]);
  requests_[container->launching] = container->attempt;
  FAILPOINT("runner:launch-asked");
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
  // Asked on every turn, and nearly always as it was.
  if (!added && launcher_events_ == event.events) return;
  epoll_ctl(epoll_, added ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, launcher_.fd(), &event);
  watched_launcher_ = launcher_.fd();
  launcher_events_ = event.events;
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
    // A new launcher may have found what the old one left.
    list_containers_ = keep_.has_value() || !absent_.empty();
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
  if (answer.type == launcher::Type::kContainers) {
    TellAbsent(answer.containers);
    if (keep_.has_value()) DestroyOthers(answer.containers);
    return;
  }
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

}  // namespace proffer::agent
