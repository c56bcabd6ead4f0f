#include "unit/master/effect_text.h"

#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace proffer::master {
namespace {

template <typename... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <typename... F>
Overloaded(F...) -> Overloaded<F...>;

std::string OrNone(const Resources& resources) {
  return resources.empty() ? "nothing" : resources.ToString();
}

template <typename List>
std::string Joined(const List& list) {
  return absl::StrJoin(
      list, ", ", [](std::string* out, const auto& id) { absl::StrAppend(out, id.ToString()); });
}

std::string Grace(const std::optional<int64_t>& grace_ms) {
  return grace_ms ? absl::StrCat(", grace ", *grace_ms, " ms") : "";
}

std::string KeyText(const model::TaskKey& key) {
  return absl::StrCat(key.framework.value(), "/", key.task.value());
}

const char* StateName(AgentState state) {
  switch (state) {
    case AgentState::kConnected:
      return "connected";
    case AgentState::kDisconnected:
      return "disconnected";
    case AgentState::kUnreachable:
      return "unreachable";
    case AgentState::kGone:
      return "gone";
    case AgentState::kRecovered:
      return "recovered";
  }
  return "?";
}

std::string Percent(int64_t share) {
  const int64_t hundredths = share / (allocator::kShareUnit / 10'000);
  return absl::StrCat(hundredths / 100, ".", hundredths % 100 / 10, hundredths % 10, "%");
}

}  // namespace

std::string Names::Stream(StreamId stream) const {
  auto it = of_stream_.find(stream);
  return it == of_stream_.end() ? absl::StrCat("stream ", stream) : it->second;
}

std::string Names::Rename(std::string text) const {
  std::vector<std::pair<std::string, std::string>> all(of_id_.begin(), of_id_.end());
  for (const auto& [stream, name] : of_stream_) {
    // Only in the notes of refusals, which end the number by " refused".
    all.emplace_back(absl::StrCat("on stream ", stream, " refused"),
                     absl::StrCat("on the stream of ", name, " refused"));
  }
  return absl::StrReplaceAll(text, all);
}

std::string Names::Id(const std::string& name) const {
  for (const auto& [id, its_name] : of_id_) {
    if (its_name == name) return id;
  }
  return name;
}

std::string Text(const Record& record) {
  return std::visit(
      Overloaded{[](const AgentRecord& r) {
                   switch (r.state) {
                     case AgentRecord::State::kAdmitted:
                       return absl::StrCat("agent ", r.id.value(), " admitted with ",
                                           OrNone(r.info.resources));
                     case AgentRecord::State::kUnreachable:
                       return absl::StrCat("agent ", r.id.value(), " unreachable");
                     case AgentRecord::State::kGone:
                       return absl::StrCat("agent ", r.id.value(), " gone");
                   }
                   return std::string("?");
                 },
                 [](const FrameworkRecord& r) {
                   std::string text = absl::StrCat(
                       "framework ", r.info.id.value(), " of ", r.principal, ", roles ",
                       absl::StrJoin(r.info.roles, ","), r.removed ? ", removed" : "");
                   if (r.instance > 0) absl::StrAppend(&text, ", instance ", r.instance);
                   if (r.disconnected_for_ms > 0) {
                     absl::StrAppend(&text, ", away for ", r.disconnected_for_ms, " ms");
                   }
                   return text;
                 },
                 [](const WeightRecord& r) {
                   return absl::StrCat("weight of ", r.role, " is ", r.weight_milli, "/1000");
                 },
                 [](const FrameworkForgotten& r) {
                   return absl::StrCat("framework ", r.id.value(), " forgotten");
                 }},
      record);
}

std::string Text(const model::Outcome& outcome) {
  if (outcome.ok()) return "ok";
  return absl::StrCat(model::RefusalName(outcome.refusal), ": ", outcome.message);
}

std::string Text(const model::TaskStatus& status) {
  std::string text = absl::StrCat(status.task.value(), " is ", model::TaskStateName(status.state));
  if (status.sequence > 0) absl::StrAppend(&text, " #", status.sequence);
  if (status.attempt.valid()) absl::StrAppend(&text, ", attempt ", status.attempt.ToString());
  if (!status.agent.empty()) absl::StrAppend(&text, " on ", status.agent.value());
  if (!status.intent_id.empty()) absl::StrAppend(&text, ", intent ", status.intent_id);
  if (status.exit_code) absl::StrAppend(&text, ", exit ", *status.exit_code);
  if (status.signal) absl::StrAppend(&text, ", signal ", *status.signal);
  if (status.reason != model::TaskReason::kNone) {
    absl::StrAppend(&text, ", ", model::TaskReasonName(status.reason));
  }
  if (!status.message.empty()) absl::StrAppend(&text, ": ", status.message);
  return text;
}

std::string Text(const model::AgentOrder& order) {
  return std::visit(
      Overloaded{
          [](const std::monostate&) { return std::string("nothing"); },
          [](const model::Welcome& o) {
            return absl::StrCat("welcome, agent ", o.agent.value(), " of cluster ", o.cluster_id,
                                " in epoch ", o.epoch);
          },
          [](const model::SendTasks& o) { return absl::StrCat("send tasks from ", o.cursor); },
          [](const model::Registered&) { return std::string("registered"); },
          [](const model::LaunchTask& o) {
            return absl::StrCat("launch ", o.framework.value(), "/", o.task.id.value(),
                                ", attempt ", o.attempt.ToString(), ", role ", o.role, ", ",
                                o.task.resources.ToString(), ", generation ",
                                o.resources_generation);
          },
          [](const model::KillTask& o) {
            return absl::StrCat("kill ", KeyText(o.key), ", attempt ", o.attempt.ToString(),
                                Grace(o.grace_ms));
          },
          [](const model::AckUpdate& o) {
            return absl::StrCat("acknowledged ", KeyText(o.key), ", attempt ", o.attempt.ToString(),
                                " #", o.sequence);
          },
          [](const model::ExpectTasks& o) {
            return absl::StrCat(
                "expected of you: ",
                absl::StrJoin(o.tasks, ", ", [](std::string* out, const auto& task) {
                  absl::StrAppend(out, KeyText(task.key), " ", task.attempt.ToString());
                }));
          },
          [](const model::EndFramework& o) {
            return absl::StrCat("end framework ", o.framework.value());
          },
          [](const model::Ping& o) { return absl::StrCat("ping ", o.n); },
          [](const model::OpenData&) { return std::string("open a data connection"); },
          [](const model::AgentError& o) {
            return absl::StrCat("error ", model::RefusalName(o.refusal), ": ", o.message);
          }},
      order);
}

std::string Text(const model::SchedulerEvent& event) {
  return std::visit(
      Overloaded{
          [](const std::monostate&) { return std::string("nothing"); },
          [](const model::Subscribed& e) {
            return absl::StrCat("subscribed as ", e.framework.value(), " to cluster ", e.cluster_id,
                                " in epoch ", e.epoch);
          },
          [](const model::Offers& e) {
            return absl::StrCat(
                "offered ", absl::StrJoin(e.offers, ", ", [](std::string* out, const auto& offer) {
                  absl::StrAppend(out, offer.id.ToString(), " of ", offer.agent.value(), " for ",
                                  offer.role, " ", offer.resources.ToString());
                }));
          },
          [](const model::Rescinded& e) {
            return absl::StrCat("rescinded ", Joined(e.offers), ": ", e.reason);
          },
          [](const model::TaskStatus& e) { return Text(e); },
          [](const model::CallResult& e) {
            return absl::StrCat(
                "result of call ", e.call_id, ": ",
                absl::StrJoin(e.items, "; ", [](std::string* out, const auto& item) {
                  if (!item.id.empty()) absl::StrAppend(out, item.id, " ");
                  absl::StrAppend(out, Text(item.outcome));
                  if (item.attempt.valid()) {
                    absl::StrAppend(out, ", attempt ", item.attempt.ToString());
                  }
                }));
          },
          [](const model::Heartbeat&) { return std::string("heartbeat"); },
          [](const model::AgentChanged& e) {
            const char* change = e.change == model::AgentChanged::Change::kBack   ? "back"
                                 : e.change == model::AgentChanged::Change::kGone ? "gone"
                                                                                  : "unreachable";
            return absl::StrCat("agent ", e.agent.value(), " is ", change);
          },
          [](const model::StreamError& e) {
            return absl::StrCat("error ", model::RefusalName(e.refusal), ": ", e.message);
          }},
      event);
}

std::string KeyOf(const View& view) {
  return std::visit(
      Overloaded{
          [](const AgentView& v) { return absl::StrCat("agent ", v.id.value()); },
          [](const FrameworkView& v) { return absl::StrCat("framework ", v.info.id.value()); },
          [](const TaskView& v) {
            return absl::StrCat("task ", KeyText(v.key), " ", v.attempt.ToString());
          },
          [](const OfferView& v) { return absl::StrCat("offer ", v.id.ToString()); },
          [](const RoleView& v) { return absl::StrCat("role ", v.role); }},
      view);
}

std::string Text(const View& view) {
  return absl::StrCat(
      KeyOf(view), ": ",
      std::visit(
          Overloaded{
              [](const AgentView& v) {
                return absl::StrCat(StateName(v.state), ", total ", OrNone(v.total), ", used ",
                                    OrNone(v.used), ", offered ", OrNone(v.offered), ", ", v.tasks,
                                    " tasks");
              },
              [](const FrameworkView& v) {
                std::string text = absl::StrCat(
                    v.connected ? "connected" : "away", v.removed ? ", removed" : "", ", roles ",
                    absl::StrJoin(v.info.roles, ","), ", ", v.offers, " offers, ", v.live_tasks,
                    " live and ", v.ended_tasks, " ended tasks");
                if (!v.suppressed_roles.empty()) {
                  absl::StrAppend(&text, ", suppressed ", absl::StrJoin(v.suppressed_roles, ","));
                }
                if (v.demand_declared) absl::StrAppend(&text, ", demand");
                for (const model::Demand& d : v.demands) {
                  absl::StrAppend(&text, " ", d.role, " ", d.shape.ToString(), " x", d.count);
                }
                return text;
              },
              [](const TaskView& v) {
                std::string text = absl::StrCat(model::TaskStateName(v.state), " on ",
                                                v.agent.value(), " with ", OrNone(v.resources));
                if (v.unacknowledged) absl::StrAppend(&text, ", unacknowledged");
                if (v.reason != model::TaskReason::kNone) {
                  absl::StrAppend(&text, ", ", model::TaskReasonName(v.reason));
                }
                if (!v.message.empty()) absl::StrAppend(&text, ": ", v.message);
                return text;
              },
              [](const OfferView& v) {
                return absl::StrCat(v.resources.ToString(), " of ", v.agent.value(), " to ",
                                    v.framework.value(), " for ", v.role);
              },
              [](const RoleView& v) {
                return absl::StrCat("weight ", v.weight_milli, ", share ", Percent(v.share),
                                    ", held ", v.held.empty() ? "nothing" : v.held.ToString(), ", ",
                                    v.frameworks, " frameworks");
              }},
          view));
}

bool IsPulse(const model::AgentOrder& order) { return std::holds_alternative<model::Ping>(order); }

bool IsPulse(const model::SchedulerEvent& event) {
  return std::holds_alternative<model::Heartbeat>(event);
}

}  // namespace proffer::master
