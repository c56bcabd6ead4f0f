// Random lives of an agent: orders, container events, lost connections, and crashes that keep any
// prefix of the records, against what must hold whatever happens.
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent_bench.h"
#include "common/base/prng.h"
#include "gtest/gtest.h"

namespace proffer::agent {
namespace {

using model::AttemptId;
using model::TaskState;

// The machine under the agent: containers survive the agent's crashes, not the machine's.
struct Container {
  enum class State { kAbsent, kOrdered, kRunning, kEnded, kFailed, kCancelled, kShimLost };
  State state = State::kAbsent;
  int starts = 0;
  bool killed = false;
  ContainerEnded end;
};

// What the master's side has seen of an attempt.
struct Seen {
  model::TaskKey key;
  Resources resources;
  bool launch_sent = false;
  std::map<uint64_t, model::TaskStatus> statuses;  // By sequence.
  uint64_t acknowledged = 0;
  bool terminal_acknowledged = false;
  bool killing_told = false;
  std::optional<TaskState> terminal;  // Told in any way: status, newest state or summary.
};

class RandomLife {
 public:
  explicit RandomLife(uint64_t seed) : prng_(seed) {
    bench_.config.seed = seed;
    bench_.durable_at_once = false;
    bench_.Boot();
    Look();
  }

  void RandomStep() {
    switch (prng_.Below(24)) {
      case 0:
      case 1:
        if (bench_.connect.has_value()) ComeUp();
        break;
      case 2:
        if (prng_.Chance(1, 4)) LoseLink();
        break;
      case 3:
      case 4:
      case 5:
        LaunchSomething();
        break;
      case 6:
        KillSomething();
        break;
      case 7:
      case 8:
        AcknowledgeSomething();
        break;
      case 9:
        if (prng_.Chance(1, 3)) RepeatLaunch();
        break;
      case 10:
        if (prng_.Chance(1, 10) && up_) {
          bench_.Order(model::EndFramework{model::FrameworkId("fw")});
        }
        break;
      case 11:
      case 12:
      case 13:
      case 14:
        ContainerMoves();
        break;
      case 15:
        bench_.Advance(prng_.Between(0, 3'000));
        break;
      case 16:
        if (up_) bench_.Order(model::Ping{1});
        break;
      case 17:
        if (prng_.Chance(1, 3)) Crash(prng_.Chance(1, 6));
        break;
      default:
        bench_.MakeDurable(prng_.Below(4));
        break;
    }
    Look();
  }

  // The faults end: everything is acknowledged, every attempt has its end.
  void Settle() {
    for (int round = 0; round < 4'000; ++round) {
      bench_.MakeDurable(bench_.pending.size());
      Look();
      // A launch that was lost on its way comes to light when the agent registers again.
      if (round % 100 == 99) LoseLink();
      if (bench_.connect.has_value()) ComeUp();
      while (!recoveries_.empty()) ContainerMoves();
      ContainerMoves();
      for (auto& [attempt, seen] : seen_) AcknowledgeNewest(attempt, &seen);
      bench_.MakeDurable(bench_.pending.size());
      Look();
      if (up_) bench_.Order(model::Ping{1});
      bench_.Advance(1'000);
      Look();
      if (up_ && bench_.core->tasks().all().empty() && AllEnded()) break;
    }
    EXPECT_TRUE(bench_.core->tasks().all().empty());
    EXPECT_EQ(bench_.core->ledger().free(), bench_.core->ledger().total());
    for (const auto& [attempt, seen] : seen_) {
      EXPECT_TRUE(!seen.launch_sent || seen.terminal_acknowledged)
          << attempt << " was taken up and has no end";
      const Container& container = containers_[attempt];
      EXPECT_NE(container.state, Container::State::kRunning) << attempt;
      EXPECT_NE(container.state, Container::State::kOrdered) << attempt;
    }
  }

  int starts() const { return starts_; }
  int crashes() const { return crashes_; }

 private:
  bool AllEnded() const {
    for (const auto& [attempt, seen] : seen_) {
      if (seen.launch_sent && !seen.terminal_acknowledged) return false;
    }
    return true;
  }

  void ComeUp() {
    bench_.Up();
    up_ = true;
    if (prng_.Chance(1, 4)) {
      ++epoch_;
      next_n_ = 1;
    }
    bench_.Welcome(epoch_);
    int64_t received = 0;
    // The chunks may wait for records; the master reads on once they have come.
    for (bool last = false; !last && bench_.dropped == std::nullopt;) {
      bench_.Order(model::SendTasks{received, 400});
      bench_.MakeDurable(bench_.pending.size());
      bool any = false;
      for (const auto& message : bench_.sent) {
        const auto* chunk = std::get_if<model::TaskChunk>(&message);
        if (chunk == nullptr) continue;
        any = true;
        received += static_cast<int64_t>(chunk->tasks.size());
        last = chunk->last;
        for (const model::TaskSummary& task : chunk->tasks) reported_.insert(task.attempt);
      }
      Look();
      if (!any) break;
    }
    ASSERT_FALSE(bench_.dropped.has_value()) << bench_.dropped->reason;
    bench_.Order(model::Registered{});
    model::ExpectTasks expect;
    for (const auto& [attempt, seen] : seen_) {
      if (seen.launch_sent && !seen.terminal_acknowledged && reported_.count(attempt) == 0) {
        expect.tasks.push_back({seen.key, attempt, ""});
      }
    }
    reported_.clear();
    bench_.Order(std::move(expect));
  }

  void LoseLink() {
    if (!up_) return;
    up_ = false;
    bench_.Step(LinkDown{bench_.link, "cut"});
    ++bench_.link;  // Whatever waits in the outbox is for nobody.
  }

  void LaunchSomething() {
    if (!up_) return;
    const uint64_t n = next_n_++;
    model::LaunchTask order =
        bench_.LaunchOrder("task-" + std::to_string(prng_.Below(1000)), n,
                           "cpus:0." + std::to_string(prng_.Between(1, 9)) + ";ports:[" +
                               std::to_string(31000 + prng_.Below(10)) + "]");
    if (prng_.Chance(1, 20)) order.resources_generation += 1;
    if (prng_.Chance(1, 5)) order.task.stop_after_disconnect_ms = 20'000;
    Seen& seen = seen_[order.attempt];
    seen.key = {order.framework, order.task.id};
    seen.resources = order.task.resources;
    seen.launch_sent = true;
    sent_[order.attempt] = order;
    if (prng_.Chance(1, 12)) return;  // Lost on its way: only the master knows of it.
    bench_.Order(std::move(order));
  }

  void RepeatLaunch() {
    if (!up_ || sent_.empty()) return;
    auto it = sent_.begin();
    std::advance(it, prng_.Below(sent_.size()));
    bench_.Order(it->second);
  }

  void KillSomething() {
    if (!up_ || seen_.empty()) return;
    auto it = seen_.begin();
    std::advance(it, prng_.Below(seen_.size()));
    bench_.Order(model::KillTask{it->second.key, it->first, prng_.Between(0, 9'000)});
  }

  void AcknowledgeNewest(const AttemptId& attempt, Seen* seen) {
    if (!up_ || seen->statuses.empty()) return;
    const model::TaskStatus& status = seen->statuses.rbegin()->second;
    seen->acknowledged = status.sequence;
    if (model::IsTerminal(status.state)) seen->terminal_acknowledged = true;
    bench_.Order(model::AckUpdate{seen->key, attempt, status.sequence});
  }
  void AcknowledgeSomething() {
    if (seen_.empty()) return;
    auto it = seen_.begin();
    std::advance(it, prng_.Below(seen_.size()));
    AcknowledgeNewest(it->first, &it->second);
  }

  // A shim says something, or the answer to a question at recovery comes.
  void ContainerMoves() {
    using State = Container::State;
    if (!recoveries_.empty() && prng_.Chance(1, 2)) {
      auto it = recoveries_.begin();
      std::advance(it, prng_.Below(recoveries_.size()));
      const AttemptId attempt = *it;
      recoveries_.erase(it);
      Tell(attempt, &containers_[attempt], true);
      return;
    }
    for (auto& [attempt, container] : containers_) {
      if (!prng_.Chance(1, 3)) continue;
      if (container.state == State::kOrdered) {
        if (prng_.Chance(1, 8)) {
          container.state = State::kFailed;
        } else {
          container.state = State::kRunning;
          ++starts_;
          EXPECT_EQ(++container.starts, 1) << attempt << " was started twice";
          EXPECT_FALSE(seen_[attempt].killing_told) << attempt << " started after its kill";
        }
      } else if (container.state == State::kRunning) {
        container.end.attempt = attempt;
        if (prng_.Chance(1, 20)) {
          container.state = State::kShimLost;
        } else if (container.killed) {
          container.state = State::kEnded;
          container.end.cause = EndCause::kKilled;
          container.end.signal = 15;
        } else {
          container.state = State::kEnded;
          container.end.exit_code = static_cast<int32_t>(prng_.Below(2));
        }
      } else {
        continue;
      }
      if (recoveries_.count(attempt) == 0) Tell(attempt, &container, false);
      return;
    }
  }

  void Tell(const AttemptId& attempt, Container* container, bool recovering) {
    using State = Container::State;
    switch (container->state) {
      case State::kAbsent:
        return bench_.Step(NoTrace{attempt});
      case State::kOrdered:
        // Was ordered by a former life and not spawned: nobody knows of it any more.
        if (recovering) {
          container->state = State::kAbsent;
          bench_.Step(NoTrace{attempt});
        }
        return;
      case State::kRunning:
        return bench_.Step(ContainerStarted{attempt, 7});
      case State::kEnded:
        return bench_.Step(container->end);
      case State::kFailed:
        return bench_.Step(LaunchFailed{attempt, "no such program"});
      case State::kCancelled:
        return bench_.Step(LaunchCancelled{attempt});
      case State::kShimLost:
        return bench_.Step(ShimLost{attempt});
    }
  }

  void Crash(bool reboot) {
    ++crashes_;
    bench_.Crash(prng_.Below(bench_.pending.size() + 1));
    ++bench_.link;
    up_ = false;
    recoveries_.clear();
    for (auto& [attempt, container] : containers_) {
      // A launch that the runner had in hand may just get done, or not.
      if (container.state == Container::State::kOrdered) {
        if (!reboot && prng_.Chance(1, 2)) {
          container.state = Container::State::kRunning;
          ++starts_;
          EXPECT_EQ(++container.starts, 1) << attempt << " was started twice";
          EXPECT_FALSE(seen_[attempt].killing_told) << attempt << " started after its kill";
        } else {
          container.state = Container::State::kAbsent;
        }
      }
      if (reboot) container.state = Container::State::kAbsent;
    }
    if (reboot) bench_.config.boot_id += "+";
    bench_.Boot();
    Look();
    CheckNothingForgotten();
  }

  // Everything that was told and not acknowledged is still known, word for word.
  void CheckNothingForgotten() {
    for (const auto& [attempt, seen] : seen_) {
      const Task* task = bench_.core->tasks().Find(attempt);
      if (seen.terminal_acknowledged || seen.statuses.empty()) continue;
      ASSERT_NE(task, nullptr) << attempt << " was told of and is forgotten";
      EXPECT_GE(task->progress.last_sequence, seen.statuses.rbegin()->first);
      if (seen.terminal.has_value()) {
        EXPECT_EQ(task->progress.state, *seen.terminal);
      }
      for (const auto& [sequence, status] : seen.statuses) {
        if (sequence <= seen.acknowledged) continue;
        bool kept = false;
        for (const auto& other : task->progress.unacknowledged) kept |= other == status;
        EXPECT_TRUE(kept) << attempt << " lost status " << sequence;
      }
    }
  }

  void SeeState(const AttemptId& attempt, TaskState state) {
    Seen& seen = seen_[attempt];
    if (state == TaskState::kKilling) seen.killing_told = true;
    if (seen.terminal.has_value()) {
      EXPECT_EQ(*seen.terminal, state) << attempt << ": terminal is final";
    } else if (model::IsTerminal(state)) {
      seen.terminal = state;
      EXPECT_NE(containers_[attempt].state, Container::State::kRunning)
          << attempt << " lives, but its end was told";
    } else if (state == TaskState::kRunning) {
      EXPECT_GT(containers_[attempt].starts, 0) << attempt << " never ran";
    }
  }

  // Takes in everything that came out, and checks what holds at every moment.
  void Look() {
    using State = Container::State;
    for (const ContainerCommand& command : std::exchange(bench_.commands, {})) {
      if (const auto* launch = std::get_if<LaunchContainer>(&command)) {
        Container& container = containers_[launch->launch->attempt];
        EXPECT_EQ(container.state, State::kAbsent) << "launched twice";
        if (container.state == State::kAbsent) container.state = State::kOrdered;
      } else if (const auto* kill = std::get_if<KillContainer>(&command)) {
        Container& container = containers_[kill->attempt];
        container.killed = true;
        if (container.state == State::kOrdered) {
          container.state = State::kCancelled;
          late_.push_back(LaunchCancelled{kill->attempt});
        }
      } else if (const auto* recover = std::get_if<RecoverContainer>(&command)) {
        recoveries_.insert(recover->launch->attempt);
      }
    }
    for (const Event& event : std::exchange(late_, {})) bench_.Step(event);
    for (const model::AgentMessage& message : std::exchange(bench_.sent, {})) {
      if (const auto* update = std::get_if<model::AgentUpdate>(&message)) {
        const model::TaskStatus& status = update->status;
        Seen& seen = seen_[status.attempt];
        auto [it, fresh] = seen.statuses.emplace(status.sequence, status);
        EXPECT_EQ(it->second, status) << "a status changed under way";
        if (fresh) {
          EXPECT_EQ(status.sequence, seen.acknowledged + 1)
              << status.attempt << ": told before the one before was acknowledged";
        }
        SeeState(status.attempt, update->latest_state);
      } else if (const auto* chunk = std::get_if<model::TaskChunk>(&message)) {
        for (const model::TaskSummary& task : chunk->tasks) {
          if (task.state != TaskState::kStarting) SeeState(task.attempt, task.state);
        }
      }
    }
    if (bench_.dropped.has_value()) {
      up_ = false;
      bench_.dropped.reset();
      ++bench_.link;
    }
    Resources used;
    for (const auto& [attempt, task] : bench_.core->tasks().all()) {
      if (task.terminal()) continue;
      ASSERT_TRUE(used.Add(task.launch->task.resources).ok());
    }
    EXPECT_EQ(used, bench_.core->ledger().used());
    Resources sum = bench_.core->ledger().free();
    ASSERT_TRUE(sum.Add(used).ok());
    EXPECT_EQ(sum, bench_.core->ledger().total());
    ASSERT_FALSE(bench_.stop.has_value());
  }

  Prng prng_;
  AgentBench bench_;
  bool up_ = false;
  uint64_t epoch_ = 1;
  uint64_t next_n_ = 1;
  std::map<AttemptId, Seen> seen_;
  std::map<AttemptId, model::LaunchTask> sent_;
  std::map<AttemptId, Container> containers_;
  std::set<AttemptId> recoveries_;
  std::set<AttemptId> reported_;
  std::vector<Event> late_;
  int starts_ = 0;
  int crashes_ = 0;
};

TEST(AgentCoreProperty, NothingToldIsForgottenAndNothingStartsTwice) {
  int starts = 0;
  int crashes = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomLife life(seed);
    for (int i = 0; i < 600 && !::testing::Test::HasFailure(); ++i) life.RandomStep();
    if (!::testing::Test::HasFailure()) life.Settle();
    starts += life.starts();
    crashes += life.crashes();
    if (::testing::Test::HasFailure()) break;
  }
  // The test would prove nothing if little happened.
  EXPECT_GT(starts, 3'000);
  EXPECT_GT(crashes, 1'000);
}

}  // namespace
}  // namespace proffer::agent
