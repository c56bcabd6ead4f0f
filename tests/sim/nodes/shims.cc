#include "sim/nodes/shims.h"

#include <signal.h>

#include <algorithm>
#include <utility>

#include "common/base/limits.h"

namespace proffer::sim {

using launcher::Type;

Shims::Shims(World* world, const Observers* observers, std::string machine)
    : world_(world), observers_(observers), machine_(std::move(machine)) {}

Shims::Shim* Shims::Find(const model::AttemptId& attempt, uint64_t number) {
  const auto it = entries_.find(attempt);
  if (it == entries_.end() || it->second.shim == nullptr) return nullptr;
  Shim* shim = it->second.shim.get();
  return shim->number == number && shim->alive ? shim : nullptr;
}

void Shims::Launch(std::shared_ptr<const model::LaunchTask> launch, Hearer hearer) {
  const auto closed = [this, life = agent_life_, hearer] {
    if (life == agent_life_) hearer.on_closed();
  };
  world_->After(
      world_->prng().Between(0, 10), [this, launch = std::move(launch), hearer, closed,
                                      boot = boot_, agent = agent_life_, life = launcher_life_] {
        if (boot != boot_) return;
        const model::AttemptId attempt = launch->attempt;
        const auto said =
            agent == agent_life_ ? std::move(early_[attempt]) : decltype(early_)::mapped_type();
        if (agent == agent_life_) early_.erase(attempt);
        if (life != launcher_life_) return closed();
        Entry& entry = entries_[attempt];
        // The marker is made exclusively: whoever comes second does nothing.
        if (entry.claimed || entry.shim != nullptr) {
          if (agent == agent_life_) hearer.on_frame({launcher::kWireVersion, Type::kTaken, ""});
          return closed();
        }
        const int64_t grace = launch->task.kill_grace_ms > 0 ? launch->task.kill_grace_ms
                                                             : limits::kKillGraceDefaultMs;
        entry.shim = std::make_unique<Shim>(launcher::Machine(
            grace, launch->task.max_run_time_ms, launch->task.stop_after_disconnect_ms));
        Shim* shim = entry.shim.get();
        shim->launch = launch;
        shim->program = Program::FromPayload(*launch->task.payload);
        shim->number = ++last_number_;
        if (agent == agent_life_) {
          shim->hearer = hearer;
          shim->connection = shim->number;
        } else {
          shim->state.OnDisconnected(world_->now().ms);
        }
        for (const auto& [type, body] : said) Say(attempt, type, body);
        world_->After(world_->prng().Between(1, 15),
                      [this, attempt, number = shim->number] { Begin(attempt, number); });
      });
}

void Shims::Begin(const model::AttemptId& attempt, uint64_t number) {
  Shim* shim = Find(attempt, number);
  // A kill may have come first, and been carried out on what was being started.
  if (shim == nullptr || shim->state.over() || shim->dying) return;
  if (shim->program.fails_to_start) {
    entries_[attempt].exit = launcher::Frame{launcher::kWireVersion, Type::kLaunchFailed, "no"};
    return Do(attempt, number, shim->state.OnLaunchFailed());
  }
  shim->running = true;
  observers_->Show(&Observer::Started, machine_, *shim->launch);
  const launcher::Actions actions = shim->state.OnStarted(world_->now().ms);
  Tell(shim, Type::kStarted, launcher::EncodeInt64(1'000));
  world_->After(shim->program.run_ms, [this, attempt, number] {
    Shim* mine = Find(attempt, number);
    if (mine == nullptr || !mine->running || mine->dying) return;
    if (mine->program.runs_out_of_memory) {
      mine->out_of_memory = true;
      return Do(attempt, number, mine->state.OnOutOfMemory(world_->now().ms));
    }
    ProgramEnded(mine, {TrueEnd::Why::kItself, mine->program.exit_code, std::nullopt});
    Do(attempt, number, mine->state.OnEnded(false, mine->program.exit_code));
  });
  Do(attempt, number, actions);
}

void Shims::ProgramEnded(Shim* shim, const TrueEnd& end) {
  if (!std::exchange(shim->running, false)) return;
  observers_->Show(&Observer::Ended, machine_, shim->launch->attempt, end);
}

void Shims::Do(const model::AttemptId& attempt, uint64_t number, const launcher::Actions& actions) {
  Shim* shim = Find(attempt, number);
  if (shim == nullptr) return;
  // How it dies of a signal: by then, unless something else was faster.
  const auto dies = [this, attempt, number](int64_t after_ms, int signal) {
    world_->After(after_ms, [this, attempt, number, signal] {
      Shim* mine = Find(attempt, number);
      if (mine == nullptr || mine->state.over() || (signal == SIGTERM && !mine->running)) return;
      const auto why = mine->out_of_memory ? TrueEnd::Why::kOutOfMemory : TrueEnd::Why::kKilled;
      ProgramEnded(mine, {why, std::nullopt, signal});
      Do(attempt, number, mine->state.OnEnded(true, signal));
    });
  };
  if (actions.terminate && shim->program.term_ms >= 0) dies(shim->program.term_ms, SIGTERM);
  if (actions.kill && !std::exchange(shim->dying, true)) dies(shim->program.dies_hard_ms, SIGKILL);
  if (actions.sweep) {
    world_->After(Moment(), [this, attempt, number] {
      Shim* mine = Find(attempt, number);
      if (mine == nullptr) return;
      if (mine->out_of_memory) mine->state.OnOutOfMemoryFound();
      Do(attempt, number, mine->state.OnSwept());
    });
  }
  if (actions.publish) {
    std::optional<launcher::Frame>& exit = entries_[attempt].exit;
    if (!exit) {
      exit = launcher::Frame{launcher::kWireVersion, Type::kEnded,
                             launcher::EncodeEnded(shim->state.ended())};
    }
    Tell(shim, exit->type, exit->body);
  }
  if (actions.exit) {
    shim->alive = false;
    CloseConnection(shim);
    return;
  }
  Arm(attempt, shim);
}

void Shims::Arm(const model::AttemptId& attempt, Shim* shim) {
  const int64_t deadline = shim->state.deadline();
  if (deadline == launcher::Machine::kNever) return;
  world_->At(Time{deadline}, [this, attempt, number = shim->number, deadline] {
    Shim* mine = Find(attempt, number);
    if (mine == nullptr || mine->state.deadline() != deadline) return;
    Do(attempt, number, mine->state.OnTimer(world_->now().ms));
  });
}

void Shims::Tell(Shim* shim, Type type, const std::string& body) {
  if (!shim->hearer) return;
  // Through the real frames.
  std::string bytes = launcher::EncodeFrame(type, body);
  world_->After(Moment(), [this, attempt = shim->launch->attempt, number = shim->number,
                           connection = shim->connection, bytes]() mutable {
    const auto it = entries_.find(attempt);
    if (it == entries_.end() || it->second.shim == nullptr) return;
    Shim* mine = it->second.shim.get();
    if (mine->number != number || mine->connection != connection || !mine->hearer) return;
    launcher::Frame frame;
    if (launcher::TakeFrame(&bytes, &frame) != launcher::Parsed::kFrame) {
      world_->Violation("a shim's frame cannot be read");
      return;
    }
    const auto on_frame = mine->hearer->on_frame;
    on_frame(frame);
  });
}

void Shims::Say(const model::AttemptId& attempt, Type type, const std::string& body) {
  const auto it = entries_.find(attempt);
  if (it == entries_.end() || it->second.shim == nullptr) {
    early_[attempt].emplace_back(type, body);
    return;
  }
  const uint64_t number = it->second.shim->number;
  const uint64_t connection = it->second.shim->connection;
  world_->After(Moment(), [this, attempt, number, connection, type, body] {
    Shim* shim = Find(attempt, number);
    if (shim == nullptr || shim->connection != connection) return;
    if (type == Type::kKill) {
      int64_t grace_ms = 0;
      launcher::DecodeInt64(body, &grace_ms);
      Do(attempt, number, shim->state.OnKill(world_->now().ms, grace_ms));
    } else if (type == Type::kRelease) {
      Do(attempt, number, shim->state.OnRelease());
    }
  });
}

Shims::Trace Shims::Look(const model::AttemptId& attempt) const {
  const auto it = entries_.find(attempt);
  if (it == entries_.end()) return Trace::kNone;
  const Entry& entry = it->second;
  // An end that is published is on disk before anything else is said.
  if (entry.exit && (entry.shim == nullptr || entry.shim->state.over())) return Trace::kExit;
  if (entry.shim == nullptr) return entry.claimed ? Trace::kClaimed : Trace::kNone;
  return entry.shim->alive ? Trace::kAlive : Trace::kDead;
}

launcher::Frame Shims::ReadExit(const model::AttemptId& attempt) const {
  return *entries_.at(attempt).exit;
}

bool Shims::Claim(const model::AttemptId& attempt) {
  Entry& entry = entries_[attempt];
  if (entry.shim != nullptr) return false;
  entry.claimed = true;
  return true;
}

void Shims::Unclaim(const model::AttemptId& attempt) { entries_[attempt].claimed = false; }

bool Shims::Connect(const model::AttemptId& attempt, Hearer hearer) {
  const auto it = entries_.find(attempt);
  if (it == entries_.end() || it->second.shim == nullptr || !it->second.shim->alive) return false;
  Shim* shim = it->second.shim.get();
  shim->hearer = std::move(hearer);
  shim->connection = ++last_number_;
  shim->state.OnConnected();
  if (shim->state.over()) {
    Tell(shim, it->second.exit->type, it->second.exit->body);
  } else if (shim->running) {
    Tell(shim, Type::kStarted, launcher::EncodeInt64(1'000));
  }
  return true;
}

void Shims::CloseConnection(Shim* shim) {
  if (!shim->hearer) return;
  const auto closed = shim->hearer->on_closed;
  shim->hearer.reset();
  world_->After(Moment(), [this, life = agent_life_, closed] {
    if (life == agent_life_) closed();
  });
}

void Shims::AgentDied() {
  ++agent_life_;
  early_.clear();
  for (auto& [attempt, entry] : entries_) {
    if (entry.shim == nullptr || !entry.shim->alive) continue;
    entry.shim->hearer.reset();
    Do(attempt, entry.shim->number, entry.shim->state.OnDisconnected(world_->now().ms));
  }
}

std::vector<model::AttemptId> Shims::RunDirectories() const {
  std::vector<model::AttemptId> all;
  for (const auto& [attempt, entry] : entries_) all.push_back(attempt);
  return all;
}

void Shims::KillShim(const model::AttemptId& attempt, Shim* shim, TrueEnd::Why why) {
  if (!shim->alive) return;
  shim->alive = false;
  ProgramEnded(shim, {why, std::nullopt, SIGKILL});
  // Its end was not written.
  if (!shim->state.over()) entries_[attempt].exit.reset();
  CloseConnection(shim);
}

void Shims::Destroy(const model::AttemptId& attempt, std::function<void()> done) {
  const auto it = entries_.find(attempt);
  if (it != entries_.end() && it->second.shim != nullptr) {
    it->second.shim->hearer.reset();
    KillShim(attempt, it->second.shim.get(), TrueEnd::Why::kShimLost);
  }
  world_->After(Moment(), [this, life = agent_life_, done = std::move(done)] {
    if (life == agent_life_) done();
  });
}

void Shims::KillLauncher(int64_t down_ms) {
  ++launcher_life_;
  launcher_down_ = true;
  world_->Trace(machine_, "launcher dies");
  world_->After(down_ms, [this, life = launcher_life_] {
    if (life == launcher_life_) launcher_down_ = false;
  });
}

void Shims::KillOneShim() {
  std::vector<model::AttemptId> alive;
  for (const auto& [attempt, entry] : entries_) {
    if (entry.shim != nullptr && entry.shim->alive) alive.push_back(attempt);
  }
  if (alive.empty()) return;
  const model::AttemptId attempt = alive[world_->prng().Below(alive.size())];
  world_->Trace(machine_, "shim of " + attempt.ToString() + " killed");
  KillShim(attempt, entries_[attempt].shim.get(), TrueEnd::Why::kShimLost);
}

void Shims::LoseRunDirectory(const std::set<model::AttemptId>& attempts) {
  for (auto& [attempt, entry] : entries_) {
    if (attempts.count(attempt) == 0 || entry.shim == nullptr || !entry.shim->running) continue;
    world_->Trace(machine_, "run directory of " + attempt.ToString() + " lost");
    KillShim(attempt, entry.shim.get(), TrueEnd::Why::kShimLost);
    entries_.erase(attempt);
    return;
  }
}

void Shims::Reboot() {
  ++boot_;
  ++launcher_life_;
  ++agent_life_;
  launcher_down_ = false;
  for (auto& [attempt, entry] : entries_) {
    if (entry.shim == nullptr) continue;
    entry.shim->hearer.reset();
    KillShim(attempt, entry.shim.get(), TrueEnd::Why::kReboot);
  }
  entries_.clear();  // They were in memory.
}

size_t Shims::living() const {
  size_t living = 0;
  for (const auto& [attempt, entry] : entries_) {
    living += entry.shim != nullptr && entry.shim->running ? 1 : 0;
  }
  return living;
}

}  // namespace proffer::sim
