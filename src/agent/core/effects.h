// What an agent's core decided: imperative, carried out by the shell.
//
// `after_seq` names the record that must be durable first (0: none); the shell holds the effect in
// an outbox (common/base/outbox.h) until then. What becomes ready together is carried out in this
// order: container commands, messages, stop. So a kill that is told to the master has reached
// the runner before, and a launch that it overtook never happens.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "agent/core/records.h"
#include "common/model/agent_protocol.h"
#include "common/model/ids.h"
#include "common/model/refusal.h"

namespace proffer::agent {

// Numbers count up by 1 from 1 in each life of the process.
struct Checkpoint {
  uint64_t seq = 0;
  Record record;
};

// Sent on the connection `link` only; thrown away if that one is no more.
struct SendMessage {
  uint64_t after_seq = 0;
  uint64_t link = 0;
  model::AgentMessage message;
};

struct LaunchContainer {
  std::shared_ptr<const model::LaunchTask> launch;
  model::AgentId agent;
};
// May come again with a shorter grace; a longer one must not lengthen what was told before. For a
// container that has not been spawned yet it cancels the launch (event LaunchCancelled).
struct KillContainer {
  model::AttemptId attempt;
  int64_t grace_ms = 0;
};
// Its task is over and acknowledged; what is left of it may be removed. The sandbox is kept for a
// while.
struct ForgetContainer {
  model::TaskKey key;
  model::AttemptId attempt;
};
// Look for what a former life of the agent has started. Answered by ContainerStarted,
// ContainerEnded, LaunchFailed, ShimLost or NoTrace.
struct RecoverContainer {
  std::shared_ptr<const model::LaunchTask> launch;
  model::AgentId agent;
};
// Sent once at the start, before RecoverContainer: any other container that is found is the rest of
// a forgotten one; it is killed and forgotten.
struct KeepContainers {
  std::vector<model::AttemptId> attempts;
  // Their ends are written down, so nothing of them may live either; only the sandboxes stay until
  // they are forgotten.
  std::vector<model::AttemptId> ended;
};
using ContainerCommand =
    std::variant<LaunchContainer, KillContainer, ForgetContainer, RecoverContainer, KeepContainers>;
struct CommandContainer {
  uint64_t after_seq = 0;
  ContainerCommand command;
};

// Find the leader and connect to it after `delay_ms`; then LinkUp, or LinkDown with link 0. The
// server must have greeted within `greeting_ms`.
struct Connect {
  int64_t delay_ms = 0;
  int64_t greeting_ms = 0;
};
// Close the connection. A Connect follows in the same effects.
struct DropLink {
  uint64_t link = 0;
  std::string reason;
};
// Open the data connection if there is none.
struct OpenDataConnection {
  uint64_t after_seq = 0;
  model::AgentId agent;
  uint64_t epoch = 0;
};
// End the process. Nothing that comes later is acted upon.
struct Stop {
  uint64_t after_seq = 0;
  model::Refusal reason = model::Refusal::kNone;
  std::string message;
};

struct Effects {
  std::vector<Checkpoint> checkpoints;
  std::vector<CommandContainer> commands;
  std::vector<SendMessage> messages;
  std::optional<DropLink> drop_link;
  std::optional<Connect> connect;
  std::optional<OpenDataConnection> open_data;
  std::optional<Stop> stop;
};

}  // namespace proffer::agent
