// Composition and dispatch; whoever owns a table decides.
#include "agent/core/core.h"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/simulation.h"
#include "common/model/refusal.h"
#include "glog/logging.h"

namespace proffer::agent {

Core::Core(Config config, const std::vector<Record>& recovered)
    : config_(std::move(config)),
      wall_offset_ms_(config_.wall_offset_ms),
      link_(config_, &table_),
      tasks_(config_, &table_, &link_),
      recovery_(recovered, &table_, &tasks_) {
  if (recovery_.identity() != nullptr) link_.Recover(*recovery_.identity());
}

Turn Core::BeginTurn(Time now, Effects* effects) {
  // All steps of a turn have the same time; the first one tells whether the turn is late.
  if (now != turn_began_ && !deadline_.IsNever() && now - deadline_ > limits::kLateTurnMs) {
    REACHED("a late turn of an agent moved when its master is silent");
    link_.ForgiveSilence(now);
  }
  turn_began_ = now;
  return Turn{now, wall_offset_ms_, &journal_, effects};
}

void Core::EndTurn(const Turn& turn) {
  if (!link_.stopped() && link_.gone() && recovery_.done() && !tasks_.any_live()) {
    REACHED("an agent that was declared gone has ended all its tasks");
    tasks_.ForgetAll(turn);
    link_.ForgetIdentity(turn);
  }
  if (link_.state() != Link::State::kRegistered) tasks_.updates().Close();
}

void Core::Start(Time now, Effects* effects) {
  const Turn turn = BeginTurn(now, effects);
  // The tasks that a reboot ended are recorded before the new boot id is, so that a crash in
  // between does not make them look as if they had never been started.
  recovery_.Start(turn, config_.boot_id);
  link_.Start(turn);
  if (recovery_.done()) OnRecovered(turn);
  EndTurn(turn);
  deadline_ = NextDeadline();
}

void Core::OnRecovered(const Turn& turn) {
  if (std::exchange(told_recovered_, true)) return;
  if (link_.gone()) {
    tasks_.KillAll(turn, model::TaskReason::kAgentDeclaredGone);
  } else {
    link_.Connect(turn);
  }
}

void Core::Step(Time now, const Event& event, Effects* effects) {
  if (link_.stopped()) return;
  const Turn turn = BeginTurn(now, effects);
  std::visit(
      [&](const auto& what) {
        using What = std::decay_t<decltype(what)>;
        if constexpr (std::is_same_v<What, LinkUp>) {
          // A shell connects only when asked, which is after recovery.
          CHECK(recovery_.done()) << "connected before recovery was done";
          link_.OnUp(turn, what.link);
        } else if constexpr (std::is_same_v<What, LeaderFound>) {
          link_.OnLeaderFound(turn);
        } else if constexpr (std::is_same_v<What, LinkDown>) {
          link_.OnDown(turn, what.link);
        } else if constexpr (std::is_same_v<What, OrderReceived>) {
          Obey(turn, what);
        } else if constexpr (std::is_same_v<What, WallClockSet>) {
          wall_offset_ms_ = what.offset_ms;
        } else {
          if constexpr (std::is_same_v<What, ContainerStarted>) tasks_.Started(turn, what);
          if constexpr (std::is_same_v<What, LaunchFailed>) tasks_.Failed(turn, what);
          if constexpr (std::is_same_v<What, LaunchCancelled>) tasks_.Cancelled(turn, what);
          if constexpr (std::is_same_v<What, ContainerEnded>) tasks_.Ended(turn, what);
          if constexpr (std::is_same_v<What, ShimLost>) tasks_.Lost(turn, what);
          if constexpr (std::is_same_v<What, NoTrace>) tasks_.NeverSpawned(turn, what);
          if (recovery_.Answered(what.attempt)) OnRecovered(turn);
        }
      },
      event);
  EndTurn(turn);
  deadline_ = NextDeadline();
}

void Core::Obey(const Turn& turn, const OrderReceived& event) {
  if (event.link == 0 || event.link != link_.number()) {  // Of a connection left before.
    REACHED("an order comes on a connection that was left before");
    return;
  }
  link_.Heard(event.received);
  if (const auto* welcome = std::get_if<model::Welcome>(&event.order)) {
    link_.OnWelcome(turn, *welcome);
    return;
  }
  if (const auto* error = std::get_if<model::AgentError>(&event.order)) {
    OnError(turn, *error);
    return;
  }
  if (!link_.welcomed()) {
    link_.Drop(turn, "the master gave an order before its welcome");
    return;
  }
  std::visit(
      [&](const auto& order) {
        using Order = std::decay_t<decltype(order)>;
        if constexpr (std::is_same_v<Order, model::SendTasks>) {
          link_.OnSendTasks(turn, order);
        } else if constexpr (std::is_same_v<Order, model::Registered>) {
          link_.OnRegistered();
          table_.DropTombstonesBefore(turn, link_.identity().highest_epoch);
          tasks_.updates().Open(turn, link_.number());
        } else if constexpr (std::is_same_v<Order, model::LaunchTask>) {
          tasks_.Launch(turn, order);
        } else if constexpr (std::is_same_v<Order, model::KillTask>) {
          tasks_.Kill(turn, order);
        } else if constexpr (std::is_same_v<Order, model::AckUpdate>) {
          tasks_.Acknowledge(turn, order);
        } else if constexpr (std::is_same_v<Order, model::ExpectTasks>) {
          tasks_.Expect(turn, order);
        } else if constexpr (std::is_same_v<Order, model::EndFramework>) {
          tasks_.EndFramework(turn, order);
        } else if constexpr (std::is_same_v<Order, model::Ping>) {
          link_.OnPing(turn, order);
        } else if constexpr (std::is_same_v<Order, model::OpenData>) {
          link_.OnOpenData(turn);
        }
        // Others are those of a newer master, which knows that an older agent ignores them.
      },
      event.order);
}

void Core::OnError(const Turn& turn, const model::AgentError& error) {
  switch (error.refusal) {
    case model::Refusal::kSuperseded:
    case model::Refusal::kWrongCluster:
      link_.Stop(turn, 0, error.refusal, error.message);
      return;
    case model::Refusal::kAgentGone:
      link_.RememberGone(turn);
      if (MUTANT("gone-agent-keeps-tasks")) return;
      tasks_.KillAll(turn, model::TaskReason::kAgentDeclaredGone);
      return;
    default:
      link_.Drop(turn,
                 absl::StrCat(std::string(model::RefusalName(error.refusal)), ": ", error.message));
  }
}

void Core::Tick(Time now, Effects* effects) {
  if (link_.stopped()) return;
  const Turn turn = BeginTurn(now, effects);
  link_.Tick(turn);
  if (recovery_.done()) tasks_.Tick(turn);
  EndTurn(turn);
  deadline_ = NextDeadline();
}

Time Core::NextDeadline() const {
  if (link_.stopped()) return Time::Never();
  if (!recovery_.done()) return link_.NextDeadline();
  return std::min(link_.NextDeadline(), tasks_.NextDeadline());
}

}  // namespace proffer::agent
