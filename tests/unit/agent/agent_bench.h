// A core on a bench: a disk of records that become durable when the test says so, an outbox like
// the shell's, and everything that got out of it for the test to look at.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "agent/core/core.h"
#include "common/base/outbox.h"

namespace proffer::agent {

inline Resources Parsed(const std::string& text) { return *Resources::Parse(text); }

class AgentBench {
 public:
  AgentBench() {
    config.info.facts.hostname = "a1";
    config.info.resources = Parsed("cpus:4;mem:4GiB;ports:[31000-31009]");
    config.boot_id = "boot-1";
    config.wall_offset_ms = 1'000'000;
  }

  // Starts a new life from what is on the disk.
  void Boot() {
    core = std::make_unique<Core>(config, disk.All());
    outbox = Outbox<int, Item>();
    pending.clear();
    Run([&](Effects* effects) { core->Start(now, effects); });
  }
  // The process dies; of the records not yet durable the first `kept` reach the disk.
  void Crash(size_t kept = 0) {
    for (size_t i = 0; i < std::min(kept, pending.size()); ++i) disk.Apply(pending[i].record);
    pending.clear();
    core.reset();
    sent.clear();
    commands.clear();
    connect.reset();
    dropped.reset();
    stop.reset();
  }

  void Step(const Event& event) {
    Run([&](Effects* effects) { core->Step(now, event, effects); });
  }
  void Advance(int64_t ms) {
    now = now + ms;
    Run([&](Effects* effects) { core->Tick(now, effects); });
  }
  // The first `count` of the records waiting become durable.
  void MakeDurable(size_t count) {
    for (; count > 0 && !pending.empty(); --count) {
      disk.Apply(pending.front().record);
      outbox.Durable(pending.front().seq);
      pending.pop_front();
    }
    Release();
  }

  // --- The master's side ---
  void Order(model::AgentOrder order) { Step(OrderReceived{link, now, std::move(order)}); }
  void Up() {
    connect.reset();
    Step(LinkUp{++link});
  }
  void Welcome(uint64_t epoch = 1) {
    Order(model::Welcome{model::ThisVersion(), "c1", epoch, model::AgentId("agent-1"), 5'000,
                         75'000});
  }
  void Register(uint64_t epoch = 1) {
    Up();
    Welcome(epoch);
    Order(model::SendTasks{0, 1 << 20});
    Order(model::Registered{});
    sent.clear();
  }
  model::LaunchTask LaunchOrder(const std::string& task, uint64_t n,
                                const std::string& resources = "cpus:1;mem:64MiB") const {
    model::LaunchTask order;
    order.framework = model::FrameworkId("fw");
    order.framework_name = "framework";
    order.role = "default";
    order.attempt = {core->identity().highest_epoch, n};
    order.task.id = model::TaskId(task);
    order.task.name = task;
    order.task.resources = Parsed(resources);
    order.task.payload = std::make_shared<const std::string>("payload");
    order.task.intent_id = "intent-" + task;
    order.resources_generation = core->identity().resources_generation;
    return order;
  }
  static model::TaskKey Key(const std::string& task) {
    return {model::FrameworkId("fw"), model::TaskId(task)};
  }
  void Ack(const std::string& task, model::AttemptId attempt, uint64_t sequence) {
    Order(model::AckUpdate{Key(task), attempt, sequence});
  }

  // --- What came out, taken once ---
  template <typename T>
  std::vector<T> TakeSent() {
    std::vector<T> taken;
    for (auto& message : std::exchange(sent, {})) {
      if (auto* wanted = std::get_if<T>(&message)) taken.push_back(std::move(*wanted));
    }
    return taken;
  }
  template <typename T>
  std::vector<T> TakeCommands() {
    std::vector<T> taken;
    std::vector<ContainerCommand> rest;
    for (auto& command : std::exchange(commands, {})) {
      if (auto* wanted = std::get_if<T>(&command)) {
        taken.push_back(std::move(*wanted));
      } else {
        rest.push_back(std::move(command));
      }
    }
    commands = std::move(rest);
    return taken;
  }
  // "RUNNING", "FAILED EXITED: exited with code 3", ...: the updates sent since the last look.
  std::vector<std::string> TakeStatuses() {
    std::vector<std::string> lines;
    for (const model::AgentUpdate& update : TakeSent<model::AgentUpdate>()) {
      std::string line = update.status.task.value() + "#" + std::to_string(update.status.sequence) +
                         " " + std::string(model::TaskStateName(update.status.state));
      if (update.status.reason != model::TaskReason::kNone) {
        line += " " + std::string(model::TaskReasonName(update.status.reason));
      }
      if (!update.status.message.empty()) line += ": " + update.status.message;
      if (update.latest_state != update.status.state) {
        line += " (now " + std::string(model::TaskStateName(update.latest_state)) + ")";
      }
      lines.push_back(std::move(line));
    }
    return lines;
  }

  Config config;
  RecordSet disk;
  bool durable_at_once = true;
  Time now{10'000};
  uint64_t link = 0;
  std::unique_ptr<Core> core;
  std::deque<Checkpoint> pending;
  std::vector<model::AgentMessage> sent;
  std::vector<ContainerCommand> commands;
  std::optional<Connect> connect;
  std::optional<DropLink> dropped;
  std::optional<OpenDataConnection> open_data;
  std::optional<Stop> stop;

 private:
  struct Message {
    uint64_t link;
    model::AgentMessage message;
  };
  using Item = std::variant<ContainerCommand, Message, Stop>;

  template <typename F>
  void Run(F&& turn) {
    Effects effects;
    turn(&effects);
    for (auto& checkpoint : effects.checkpoints) pending.push_back(std::move(checkpoint));
    for (auto& c : effects.commands) outbox.Add(c.after_seq, 0, Item(std::move(c.command)));
    for (auto& m : effects.messages) {
      outbox.Add(m.after_seq, 1, Item(Message{m.link, std::move(m.message)}));
    }
    if (effects.stop) outbox.Add(effects.stop->after_seq, 2, Item(*effects.stop));
    if (effects.drop_link) dropped = effects.drop_link;
    if (effects.connect) connect = effects.connect;
    if (effects.open_data) open_data = effects.open_data;
    if (durable_at_once) MakeDurable(pending.size());
    Release();
  }

  void Release() {
    auto ready = outbox.TakeReady();
    std::stable_sort(ready.begin(), ready.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto& [peer, item] : ready) {
      if (auto* command = std::get_if<ContainerCommand>(&item)) {
        commands.push_back(std::move(*command));
      } else if (auto* message = std::get_if<Message>(&item)) {
        if (message->link == link) sent.push_back(std::move(message->message));
      } else {
        stop = std::get<Stop>(item);
      }
    }
  }

  Outbox<int, Item> outbox;
};

}  // namespace proffer::agent
