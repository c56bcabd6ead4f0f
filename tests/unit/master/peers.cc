#include "unit/master/peers.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace proffer::master {

model::AgentHello FakeAgent::Hello() const {
  model::AgentHello hello;
  hello.version = version;
  hello.cluster_id = cluster_id;
  hello.agent = id;
  hello.info = info;
  hello.boot_id = "boot";
  hello.resources_generation = generation;
  hello.highest_epoch = highest_epoch;
  hello.tasks = static_cast<int64_t>(tasks.size());
  return hello;
}

model::TaskChunk FakeAgent::Chunk(int64_t cursor) const {
  model::TaskChunk out;
  out.cursor = cursor;
  int64_t n = 0;
  for (const auto& [key, task] : tasks) {
    if (n++ < cursor) continue;
    if (static_cast<int64_t>(out.tasks.size()) == chunk) break;
    out.tasks.push_back(task.summary);
    out.tasks.back().unacknowledged = !task.unacknowledged.empty();
  }
  out.last = cursor + static_cast<int64_t>(out.tasks.size()) == static_cast<int64_t>(tasks.size());
  return out;
}

model::AgentMessage FakeAgent::InFlight(const Task& task) const {
  return model::AgentUpdate{task.summary.key.framework, task.unacknowledged.front(),
                            task.summary.state};
}

std::vector<model::AgentMessage> FakeAgent::Answers(const model::AgentOrder& order) {
  std::vector<model::AgentMessage> answers;
  if (const auto* welcome = std::get_if<model::Welcome>(&order)) {
    id = welcome->agent;
    cluster_id = welcome->cluster_id;
    highest_epoch = std::max(highest_epoch, welcome->epoch);
  } else if (const auto* ask = std::get_if<model::SendTasks>(&order)) {
    if (!manual) answers.push_back(Chunk(ask->cursor));
  } else if (std::holds_alternative<model::Registered>(order)) {
    for (const auto& [key, task] : tasks) {
      if (!task.unacknowledged.empty()) answers.push_back(InFlight(task));
    }
  } else if (const auto* launch = std::get_if<model::LaunchTask>(&order)) {
    Task& task = tasks[{{launch->framework, launch->task.id}, launch->attempt}];
    task.summary.key = {launch->framework, launch->task.id};
    task.summary.name = launch->task.name;
    task.summary.attempt = launch->attempt;
    task.summary.role = launch->role;
    task.summary.state = model::TaskState::kStaging;
    task.summary.resources = launch->task.resources;
    task.summary.intent_id = launch->task.intent_id;
  } else if (const auto* ack = std::get_if<model::AckUpdate>(&order)) {
    auto it = tasks.find({ack->key, ack->attempt});
    if (it == tasks.end() || it->second.unacknowledged.empty()) return answers;
    Task& task = it->second;
    if (task.unacknowledged.front().sequence != ack->sequence) return answers;
    task.unacknowledged.pop_front();
    if (!task.unacknowledged.empty()) {
      answers.push_back(InFlight(task));
    } else if (model::IsTerminal(task.summary.state)) {
      tasks.erase(it);
    }
  } else if (const auto* expect = std::get_if<model::ExpectTasks>(&order)) {
    for (const model::ExpectTasks::Task& expected : expect->tasks) {
      auto [it, news] = tasks.try_emplace({expected.key, expected.attempt});
      if (!news) continue;
      it->second.summary.key = expected.key;
      it->second.summary.attempt = expected.attempt;
      it->second.summary.intent_id = expected.intent_id;
      it->second.summary.role = "default";
      model::TaskStatus status;
      status.state = model::TaskState::kDropped;
      status.reason = model::TaskReason::kAgentLostIt;
      Change(expected.key.task.value(), status);  // Told when it is registered.
    }
  } else if (const auto* end = std::get_if<model::EndFramework>(&order)) {
    for (auto& [key, task] : tasks) {
      if (key.first.framework != end->framework) continue;
      if (model::IsTerminal(task.summary.state)) {
        if (!task.unacknowledged.empty()) answers.push_back(InFlight(task));
        continue;
      }
      model::TaskStatus status;
      status.state = model::TaskState::kKilled;
      status.reason = model::TaskReason::kFrameworkRemoved;
      answers.push_back(ChangeRow(&task, std::move(status)));
    }
  } else if (const auto* ping = std::get_if<model::Ping>(&order)) {
    if (!silent) answers.push_back(model::Pong{ping->n});
  }
  return answers;
}

FakeAgent::Task* FakeAgent::Find(const std::string& task) {
  Task* found = nullptr;
  for (auto& [key, row] : tasks) {
    if (key.first.task.value() == task) found = &row;
  }
  return found;
}

std::optional<model::AgentMessage> FakeAgent::Change(const std::string& task,
                                                     model::TaskStatus status) {
  Task* row = Find(task);
  if (row == nullptr) return std::nullopt;
  return ChangeRow(row, std::move(status));
}

model::AgentMessage FakeAgent::ChangeRow(Task* row, model::TaskStatus status) {
  status.task = row->summary.key.task;
  status.attempt = row->summary.attempt;
  status.agent = id;
  status.source = model::StatusSource::kAgent;
  status.sequence = ++row->last_sequence;
  status.intent_id = row->summary.intent_id;
  row->summary.state = status.state;
  row->summary.reason = status.reason;
  row->summary.message = status.message;
  row->unacknowledged.push_back(std::move(status));
  // The one in flight is repeated: it carries the newest state.
  return InFlight(*row);
}

void FakeScheduler::Hear(const model::SchedulerEvent& event) {
  if (const auto* subscribed = std::get_if<model::Subscribed>(&event)) {
    subscribe.framework.id = subscribed->framework;
  } else if (const auto* offers = std::get_if<model::Offers>(&event)) {
    last_offer = offers->offers.back().id;
  } else if (const auto* status = std::get_if<model::TaskStatus>(&event)) {
    if (status->sequence > 0) to_acknowledge[status->task.value()] = *status;
  }
}

}  // namespace proffer::master
