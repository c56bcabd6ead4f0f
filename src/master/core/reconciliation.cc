#include "master/core/reconciliation.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "master/core/registration.h"
#include "master/core/world.h"

namespace proffer::master {
namespace {

bool AnyAwaited(const World& world) {
  for (const auto& [id, agent] : world.agents.all()) {
    if (IsAwaited(agent)) return true;
  }
  return false;
}

const TaskView* FindEnded(const Framework& framework, const model::TaskId& id) {
  for (auto it = framework.ended.rbegin(); it != framework.ended.rend(); ++it) {
    if (it->key.task == id) return &*it;
  }
  return nullptr;
}

// The truth about a task without a row, or nothing while it cannot be known.
std::optional<model::TaskStatus> StatusOfAbsent(const World& world, const Framework& framework,
                                                const model::Reconcile::Task& asked) {
  model::TaskStatus status;
  status.task = asked.task;
  status.agent = asked.agent;
  status.reason = model::TaskReason::kReconciled;
  status.source = model::StatusSource::kMaster;
  status.time_unix_ms = world.unix_ms;
  if (const TaskView* ended = FindEnded(framework, asked.task)) {
    status.attempt = ended->attempt;
    status.agent = ended->agent;
    status.state = ended->state;
    status.message = ended->message;
    status.exit_code = ended->exit_code;
    status.signal = ended->signal;
    return status;
  }
  const Agent* agent = world.agents.Find(asked.agent);
  if (agent == nullptr) {
    // Without a place to look, any agent that is still awaited may have it.
    if (AnyAwaited(world)) return std::nullopt;
    status.state = model::TaskState::kUnknown;
    status.message = "never heard of it, or forgot it";
    return status;
  }
  if (IsAwaited(*agent)) return std::nullopt;
  switch (agent->state) {
    case AgentState::kGone:
      status.state = model::TaskState::kGoneByOperator;
      status.message = "an operator declared its agent gone";
      break;
    case AgentState::kUnreachable:
      status.state = model::TaskState::kUnreachable;
      status.message = "its agent is unreachable";
      break;
    case AgentState::kConnected:
    case AgentState::kDisconnected:
    case AgentState::kRecovered:
      status.state = model::TaskState::kGone;
      status.message = "its agent does not have it";
      break;
  }
  return status;
}

}  // namespace

void ReconcileCalled(World& world, Framework& framework, uint64_t call_id,
                     const model::Reconcile& reconcile) {
  std::vector<model::CallResult::Item> items;
  if (reconcile.tasks.empty()) {
    for (const auto& [key, task] : framework.tasks) {
      // What waits for an acknowledgement is told as such: the framework must answer it anyway.
      world.Tell(framework,
                 task.unacknowledged ? *task.unacknowledged : PresentStatus(world, task));
    }
    if (AnyAwaited(world)) {
      items.push_back({"",
                       {model::Refusal::kNotKnownYet,
                        "some agents have not reported to the new leader yet; ask again"},
                       {}});
    }
  }
  for (const model::Reconcile::Task& asked : reconcile.tasks) {
    if (const Task* task = FindTask(framework, asked.task)) {
      world.Tell(framework,
                 task->unacknowledged ? *task->unacknowledged : PresentStatus(world, *task));
      items.push_back({asked.task.value(), model::Outcome::Ok(), task->attempt});
      continue;
    }
    std::optional<model::TaskStatus> status = StatusOfAbsent(world, framework, asked);
    if (!status) {
      items.push_back({asked.task.value(),
                       {model::Refusal::kNotKnownYet,
                        "its agent may not have reported to the new leader yet; ask again"},
                       {}});
      continue;
    }
    items.push_back({asked.task.value(), model::Outcome::Ok(), status->attempt});
    world.Tell(framework, *std::move(status));
  }
  if (items.empty()) items.push_back({"", model::Outcome::Ok(), {}});
  world.Answer(framework, call_id, std::move(items));
}

}  // namespace proffer::master
