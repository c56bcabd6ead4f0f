#include "sim/nodes/runner_node.h"

#include <algorithm>
#include <utility>

namespace proffer::sim {
namespace {

using launcher::Type;

constexpr int64_t kLauncherWaitMs = 30'000;
constexpr int64_t kLookAgainMs = 100;
constexpr int kMostTries = 5;

}  // namespace

void RunnerNode::After(int64_t ms, std::function<void()> what) {
  world_->After(ms, [weak = weak_from_this(), what = std::move(what)] {
    if (const auto self = weak.lock()) what();
  });
}

void RunnerNode::Do(const agent::ContainerCommand& command) {
  if (const auto* launch = std::get_if<agent::LaunchContainer>(&command)) return Launch(*launch);
  if (const auto* kill = std::get_if<agent::KillContainer>(&command)) return Kill(*kill);
  if (const auto* recover = std::get_if<agent::RecoverContainer>(&command)) {
    return Recover(*recover);
  }
  if (const auto* forget = std::get_if<agent::ForgetContainer>(&command)) {
    return Forget(forget->attempt);
  }
  Keep(std::get<agent::KeepContainers>(command));
}

RunnerNode::Container& RunnerNode::Add(const model::AttemptId& attempt) {
  Container& container = containers_[attempt];
  container.attempt = attempt;
  return container;
}

void RunnerNode::Launch(const agent::LaunchContainer& command) {
  Container& container = Add(command.launch->attempt);
  container.launch = command.launch;
  // Handed over to another thread: a kill may overtake it.
  container.waiting = true;
  After(world_->prng().Between(0, world_->weather().launch_max_ms),
        [this, attempt = container.attempt] { Start(attempt, 0); });
}

void RunnerNode::Start(const model::AttemptId& attempt, int64_t waited_ms) {
  const auto it = containers_.find(attempt);
  if (it == containers_.end() || it->second.over || !it->second.waiting) return;
  if (!shims_->launcher_up()) {
    if (waited_ms >= kLauncherWaitMs)
      return Over(attempt, agent::LaunchFailed{attempt, "no launcher"});
    return After(kLookAgainMs,
                 [this, attempt, waited_ms] { Start(attempt, waited_ms + kLookAgainMs); });
  }
  Container& container = it->second;
  container.waiting = false;
  ++container.tries;
  if (container.recovering) {
    shims_->Unclaim(attempt);
    container.recovering = false;
  }
  container.connected = true;
  shims_->Launch(container.launch, HearerOf(attempt));
}

Shims::Hearer RunnerNode::HearerOf(const model::AttemptId& attempt) {
  const std::weak_ptr<RunnerNode> weak = weak_from_this();
  return {[weak, attempt](const launcher::Frame& frame) {
            if (const auto self = weak.lock()) self->Take(attempt, frame);
          },
          [weak, attempt] {
            const auto self = weak.lock();
            if (self == nullptr) return;
            const auto it = self->containers_.find(attempt);
            if (it == self->containers_.end()) return;
            it->second.connected = false;
            if (!it->second.over) self->Examine(attempt);
          }};
}

void RunnerNode::Take(const model::AttemptId& attempt, const launcher::Frame& frame) {
  const auto it = containers_.find(attempt);
  if (it == containers_.end()) return;
  Container& container = it->second;
  switch (frame.type) {
    case Type::kStarted:
      container.launch.reset();
      container.recovering = false;
      if (!container.forgotten && !container.over) post_(agent::ContainerStarted{attempt, 1'000});
      return;
    case Type::kLaunchFailed:
      return Over(attempt, agent::LaunchFailed{attempt, frame.body});
    case Type::kEnded: {
      launcher::Ended ended;
      if (!launcher::DecodeEnded(frame.body, &ended)) {
        world_->Violation("the end that a shim told cannot be read");
        return;
      }
      agent::ContainerEnded event;
      event.attempt = attempt;
      event.cause = static_cast<agent::EndCause>(ended.cause);
      (ended.signalled ? event.signal : event.exit_code) = ended.code;
      return Over(attempt, event);
    }
    default:
      return;  // kTaken: the connection closes, and we look for the other one.
  }
}

void RunnerNode::Over(const model::AttemptId& attempt, agent::Event event) {
  Container& container = containers_.at(attempt);
  if (std::exchange(container.over, true)) return;
  container.recovering = false;
  if (!container.forgotten) return post_(std::move(event));
  Forget(attempt);
}

void RunnerNode::Kill(const agent::KillContainer& command) {
  const auto it = containers_.find(command.attempt);
  if (it == containers_.end() || it->second.over) return;
  Container& container = it->second;
  if (std::exchange(container.waiting, false)) {
    return Over(command.attempt, agent::LaunchCancelled{command.attempt});
  }
  container.kill_ms = std::min(container.kill_ms.value_or(command.grace_ms), command.grace_ms);
  shims_->Say(command.attempt, Type::kKill, launcher::EncodeInt64(command.grace_ms));
}

void RunnerNode::Forget(const model::AttemptId& attempt) {
  const auto it = containers_.find(attempt);
  if (it == containers_.end()) return shims_->RemoveRunDirectory(attempt);
  Container& container = it->second;
  if (!container.over && shims_->Look(attempt) == Shims::Trace::kAlive) {
    // It may live still; its end removes it.
    container.forgotten = true;
    shims_->Say(attempt, Type::kKill, launcher::EncodeInt64(0));
    return;
  }
  shims_->RemoveRunDirectory(attempt);
  containers_.erase(it);
}

void RunnerNode::Recover(const agent::RecoverContainer& command) {
  Container& container = Add(command.launch->attempt);
  container.recovering = true;
  After(world_->prng().Between(0, 10), [this, attempt = container.attempt] { Examine(attempt); });
}

void RunnerNode::Keep(const agent::KeepContainers& command) {
  const std::set<model::AttemptId> keep(command.attempts.begin(), command.attempts.end());
  for (const model::AttemptId& attempt : shims_->RunDirectories()) {
    if (keep.count(attempt) != 0) continue;
    Add(attempt).forgotten = true;
    Examine(attempt);
  }
}

void RunnerNode::Examine(const model::AttemptId& attempt) {
  const auto it = containers_.find(attempt);
  if (it == containers_.end() || it->second.over) return;
  Container& container = it->second;
  switch (shims_->Look(attempt)) {
    case Shims::Trace::kExit:
      return Take(attempt, shims_->ReadExit(attempt));
    case Shims::Trace::kAlive:
      if (!shims_->Connect(attempt, HearerOf(attempt))) {
        return After(kLookAgainMs, [this, attempt] { Examine(attempt); });
      }
      container.connected = true;
      if (container.forgotten) container.kill_ms = 0;
      if (container.kill_ms) {
        shims_->Say(attempt, Type::kKill, launcher::EncodeInt64(*container.kill_ms));
      }
      return;
    case Shims::Trace::kDead:
      return Lost(attempt);
    case Shims::Trace::kNone:
      // So that no shim of a former life takes it behind our back.
      if (!shims_->Claim(attempt)) {
        return After(kLookAgainMs, [this, attempt] { Examine(attempt); });
      }
      break;
    case Shims::Trace::kClaimed:
      break;
  }
  if (container.forgotten) return Over(attempt, agent::NoTrace{attempt});
  if (container.recovering) return post_(agent::NoTrace{attempt});
  // The launcher died between our asking and its doing.
  if (container.kill_ms) return Over(attempt, agent::LaunchCancelled{attempt});
  if (container.tries >= kMostTries) {
    return Over(attempt, agent::LaunchFailed{attempt, "its shim ended before it could start"});
  }
  container.recovering = true;
  container.waiting = true;
  Start(attempt, 0);
}

void RunnerNode::Lost(const model::AttemptId& attempt) {
  if (!shims_->launcher_up()) return After(kLookAgainMs, [this, attempt] { Lost(attempt); });
  shims_->Destroy(attempt, [weak = weak_from_this(), attempt] {
    const auto self = weak.lock();
    if (self != nullptr && self->containers_.count(attempt) != 0) {
      self->Over(attempt, agent::ShimLost{attempt});
    }
  });
}

}  // namespace proffer::sim
