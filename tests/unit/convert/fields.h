// The fields of every model type as a tuple, so that tests fill and compare all of them: a field
// that is added to a type and not here does not compile.
#pragma once

#include <concepts>
#include <optional>
#include <tuple>
#include <type_traits>
#include <variant>
#include <vector>

#include "agent/core/records.h"
#include "common/model/agent_protocol.h"
#include "common/model/scheduler_protocol.h"
#include "google/protobuf/util/message_differencer.h"
#include "master/core/records.h"
#include "proffer/v1/task.pb.h"

namespace proffer::convert {

// T is M, const or not.
template <typename T, typename M>
concept Is = std::same_as<std::remove_const_t<T>, M>;

// PROFFER_FIELDS(type, a, b, ...): Fields(value) gives references to all of them.
#define PROFFER_FIELDS(type, ...) \
  template <Is<type> T>           \
  auto Fields(T& value) {         \
    auto& [__VA_ARGS__] = value;  \
    return std::tie(__VA_ARGS__); \
  }
#define PROFFER_NO_FIELDS(type) \
  template <Is<type> T>         \
  std::tuple<> Fields(T&) {     \
    return {};                  \
  }

PROFFER_NO_FIELDS(std::monostate)

PROFFER_FIELDS(AgentFacts, a, b, c, d)
PROFFER_FIELDS(model::Version, a, b, c, d)
PROFFER_FIELDS(model::OfferId, a, b)
PROFFER_FIELDS(model::AttemptId, a, b)
PROFFER_FIELDS(model::TaskKey, a, b)
PROFFER_FIELDS(model::Outcome, a, b)

PROFFER_FIELDS(model::TaskSpec, a, b, c, d, e, f, g, h)
PROFFER_FIELDS(model::TaskStatus, a, b, c, d, e, f, g, h, i, j, k, l)
PROFFER_FIELDS(model::Offer, a, b, c, d, e, f)
PROFFER_FIELDS(model::Demand, a, b, c, d, e)

PROFFER_FIELDS(model::AgentInfo, a, b)
PROFFER_FIELDS(model::TaskSummary, a, b, c, d, e, f, g, h, i, j)
PROFFER_FIELDS(model::AgentHello, a, b, c, d, e, f, g, h)
PROFFER_FIELDS(model::TaskChunk, a, b, c)
PROFFER_FIELDS(model::AgentUpdate, a, b, c)
PROFFER_FIELDS(model::Pong, a)
PROFFER_FIELDS(model::Goodbye, a)
PROFFER_FIELDS(model::Welcome, a, b, c, d, e, f)
PROFFER_FIELDS(model::SendTasks, a, b)
PROFFER_NO_FIELDS(model::Registered)
PROFFER_FIELDS(model::LaunchTask, a, b, c, d, e, f)
PROFFER_FIELDS(model::KillTask, a, b, c)
PROFFER_FIELDS(model::AckUpdate, a, b, c)
PROFFER_FIELDS(model::ExpectTasks, a)
PROFFER_FIELDS(model::ExpectTasks::Task, a, b, c)
PROFFER_FIELDS(model::EndFramework, a)
PROFFER_FIELDS(model::Ping, a)
PROFFER_NO_FIELDS(model::OpenData)
PROFFER_FIELDS(model::AgentError, a, b)

PROFFER_FIELDS(model::FrameworkInfo, a, b, c, d, e, f)
PROFFER_FIELDS(model::Subscribe, a, b, c, d, e)
PROFFER_FIELDS(model::Accept, a, b, c)
PROFFER_FIELDS(model::Decline, a, b, c)
PROFFER_FIELDS(model::Suppress, a)
PROFFER_FIELDS(model::Revive, a)
PROFFER_FIELDS(model::SetDemand, a, b)
PROFFER_FIELDS(model::Kill, a, b, c)
PROFFER_FIELDS(model::Acknowledge, a, b, c, d)
PROFFER_FIELDS(model::Reconcile, a)
PROFFER_FIELDS(model::Reconcile::Task, a, b)
PROFFER_FIELDS(model::UpdateFramework, a, b, c)
PROFFER_NO_FIELDS(model::Teardown)
PROFFER_NO_FIELDS(model::HeartbeatAnswer)
PROFFER_FIELDS(model::SchedulerCall, a, b)
PROFFER_FIELDS(model::Subscribed, a, b, c, d, e)
PROFFER_FIELDS(model::Offers, a)
PROFFER_FIELDS(model::Rescinded, a, b)
PROFFER_FIELDS(model::CallResult, a, b)
PROFFER_FIELDS(model::CallResult::Item, a, b, c)
PROFFER_NO_FIELDS(model::Heartbeat)
PROFFER_FIELDS(model::AgentChanged, a, b)
PROFFER_FIELDS(model::StreamError, a, b)

PROFFER_FIELDS(master::AgentRecord, a, b, c)
PROFFER_FIELDS(master::FrameworkRecord, a, b, c, d, e)
PROFFER_FIELDS(master::WeightRecord, a, b)
PROFFER_FIELDS(master::FrameworkForgotten, a)
PROFFER_FIELDS(master::Registry, a, b, c)
PROFFER_FIELDS(agent::IdentityRecord, a, b, c, d, e, f, g)
PROFFER_FIELDS(agent::Progress, a, b, c, d, e, f, g, h)
PROFFER_FIELDS(agent::TaskRecord, a, b)
PROFFER_FIELDS(agent::ProgressRecord, a, b)
PROFFER_FIELDS(agent::Tombstone, a)
PROFFER_FIELDS(agent::TombstonesDropped, a)

#undef PROFFER_FIELDS
#undef PROFFER_NO_FIELDS

template <typename T>
concept HasFields = requires(T& value) {
  Fields(value);
};

template <typename T>
inline constexpr bool kIsVector = false;
template <typename T>
inline constexpr bool kIsVector<std::vector<T>> = true;
template <typename T>
inline constexpr bool kIsOptional = false;
template <typename T>
inline constexpr bool kIsOptional<std::optional<T>> = true;
template <typename T>
inline constexpr bool kIsVariant = false;
template <typename... T>
inline constexpr bool kIsVariant<std::variant<T...>> = true;

// A payload is a message with a map in it, which has no order.
inline bool Same(const model::Payload& a, const model::Payload& b) {
  if (a == nullptr || b == nullptr) return a == b;
  v1::TaskPayload left;
  v1::TaskPayload right;
  return left.ParseFromString(*a) && right.ParseFromString(*b) &&
         google::protobuf::util::MessageDifferencer::Equals(left, right);
}

// Every field, all the way down.
template <typename T>
bool Same(const T& a, const T& b) {
  if constexpr (HasFields<const T>) {
    return std::apply(
        [&b](const auto&... left) {
          return std::apply([&left...](const auto&... right) { return (Same(left, right) && ...); },
                            Fields(b));
        },
        Fields(a));
  } else if constexpr (kIsVector<T>) {
    if (a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); ++i) {
      if (!Same(a[i], b[i])) return false;
    }
    return true;
  } else if constexpr (kIsVariant<T>) {
    return a.index() == b.index() &&
           std::visit(
               [&b](const auto& left) {
                 return Same(left, std::get<std::remove_cvref_t<decltype(left)>>(b));
               },
               a);
  } else {
    return a == b;
  }
}

}  // namespace proffer::convert
