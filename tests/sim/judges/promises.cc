#include "sim/judges/promises.h"

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "common/convert/record.h"
#include "proffer/internal/registry.pb.h"

namespace proffer::sim {
namespace {

constexpr int64_t kKillAgainMs = 10'000;

// "f1-3.r2" is the user's third task; 0: none.
uint64_t HandleOf(const User& user, const model::TaskId& task) {
  absl::string_view text = task.value();
  const std::string prefix = user.name + "-";
  if (text.substr(0, prefix.size()) != absl::string_view(prefix)) return 0;
  text.remove_prefix(prefix.size());
  uint64_t handle = 0;
  (void)absl::SimpleAtoi(text.substr(0, text.find('.')), &handle);
  return handle;
}

}  // namespace

const User* Promises::UserOf(const std::string& node) const {
  for (const auto& user : *users_) {
    if (node.substr(0, node.find('/')) == user->name) return user.get();
  }
  return nullptr;
}

void Promises::Committed(uint64_t epoch, const Mutation& mutation) {
  if (!mutation.value) return;
  absl::StatusOr<convert::OpenedRecord> record = convert::OpenRecord(mutation.key, *mutation.value);
  internal::FrameworkRecord framework;
  if (!record.ok() || record->type != "framework") return;
  if (framework.ParseFromString(record->payload) && framework.removed()) {
    removed_.insert(model::FrameworkId(framework.info().framework_id()));
  }
}

void Promises::MasterHeardAgent(const Wire& wire, const model::AgentMessage& message) {
  const auto* chunk = std::get_if<model::TaskChunk>(&message);
  if (chunk == nullptr) return;
  for (const model::TaskSummary& task : chunk->tasks) {
    if (model::IsTerminal(task.state)) continue;
    registrations_[wire.number()].live[task.attempt] = task.key.framework;
  }
}

void Promises::MasterDecidedForAgent(const Wire& wire, const model::AgentOrder& order) {
  Registration& registration = registrations_[wire.number()];
  if (const auto* kill = std::get_if<model::KillTask>(&order)) {
    registration.kills.insert(kill->attempt);
    if (OfLeader(wire)) killed_.insert(kill->attempt);
  } else if (const auto* end = std::get_if<model::EndFramework>(&order)) {
    registration.ends.insert(end->framework);
  } else if (std::holds_alternative<model::Registered>(order) && OfLeader(wire)) {
    for (const auto& [attempt, framework] : registration.live) {
      if (killed_.count(attempt) > 0 && registration.kills.count(attempt) == 0 &&
          registration.ends.count(framework) == 0) {
        Violation("T10: the kill of attempt ", attempt.ToString(),
                  " was not repeated to its agent, which came back with it");
      }
      if (removed_.count(framework) > 0 && registration.ends.count(framework) == 0) {
        Violation("F2: attempt ", attempt.ToString(),
                  " lives on an agent that came back; its "
                  "framework ",
                  framework.value(), " is no more, and nobody ends it");
      }
    }
    registration = Registration();
  }
}

void Promises::SchedulerTold(const std::string& node, const Wire& wire,
                             const model::SchedulerCall& call) {
  const User* user = UserOf(node);
  // A replica that was overtaken and whose hello comes late is let in by the master, until its
  // store stops it: its user's book is in other hands.
  if (user == nullptr || user->owner_name != node) return;
  if (const auto* accept = std::get_if<model::Accept>(&call.call)) {
    for (const model::TaskSpec& task : accept->tasks) {
      if (user->saved.count("intent/" + task.id.value()) == 0) {
        Violation("S4: ", node, " asks for the launch of ", task.id.value(),
                  " before its intent is stored");
      }
    }
  } else if (const auto* kill = std::get_if<model::Kill>(&call.call)) {
    kills_[{node, kill->task}] = {wire.number(), Time::Never()};
  } else if (const auto* ack = std::get_if<model::Acknowledge>(&call.call)) {
    const auto own = own_ends_.find({ack->attempt, ack->sequence});
    if (own == own_ends_.end()) return;
    const auto& [task, intent_id] = own->second;
    const uint64_t handle = HandleOf(*user, task);
    if (handle != 0 && user->ended.count(handle) == 0) {
      Violation("T7: ", node, " acknowledges the end of ", task.value(),
                " before its user knows it");
    }
    const auto saved = user->saved.find("intent/" + task.value());
    if (saved != user->saved.end() &&
        saved->second.substr(0, saved->second.find(' ')) == intent_id) {
      Violation("S1: ", node, " acknowledges the end of ", task.value(),
                " and its next life would still find the intent");
    }
  }
}

void Promises::SchedulerHeard(const std::string& node, const Wire& wire,
                              const model::SchedulerEvent& event) {
  const auto of_node = [&node](const auto& entry) { return entry.first.first == node; };
  if (const auto* status = std::get_if<model::TaskStatus>(&event)) {
    // It is spoken of on a new stream: then the wish must be told there as well.
    const auto wish = kills_.find({node, status->task});
    if (wish != kills_.end() && wish->second.wire != wire.number()) {
      wish->second.due = std::min(wish->second.due, world().now() + kKillAgainMs);
    }
    // Any word that the task is over, or that nobody has it, ends the wish.
    if (model::IsTerminal(status->state) || status->state == model::TaskState::kUnknown) {
      kills_.erase({node, status->task});
    }
    using model::TaskState;
    const bool own = status->sequence > 0 && (status->state == TaskState::kFinished ||
                                              status->reason == model::TaskReason::kExited);
    if (own) own_ends_[{status->attempt, status->sequence}] = {status->task, status->intent_id};
  } else if (const auto* result = std::get_if<model::CallResult>(&event)) {
    for (const model::CallResult::Item& item : result->items) {
      if (item.outcome.refusal == model::Refusal::kUnknownTask) {
        kills_.erase({node, model::TaskId(item.id)});
      } else if (item.outcome.refusal == model::Refusal::kNotKnownYet) {
        // The master will not keep the wish in mind.
        const auto wish = kills_.find({node, model::TaskId(item.id)});
        if (wish != kills_.end()) wish->second.wire = 0;
      }
    }
  } else if (std::holds_alternative<model::StreamError>(event)) {
    // It begins anew, without what it had; or must stop.
    SchedulerDied(node);
  } else if (std::holds_alternative<model::Heartbeat>(event)) {
    for (const auto& entry : kills_) {
      if (!of_node(entry) || entry.second.due > world().now()) continue;
      Violation("T10: ", node, " has wanted to kill ", entry.first.second.value(),
                " and did not say so on its new stream");
    }
  }
}

void Promises::SchedulerDied(const std::string& node) {
  std::erase_if(kills_, [&node](const auto& entry) { return entry.first.first == node; });
}

}  // namespace proffer::sim
