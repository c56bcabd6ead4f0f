// The agent's side of its simulated containers: what src/agent/runner does with sockets and files,
// on Shims.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "agent/core/effects.h"
#include "agent/core/events.h"
#include "sim/nodes/shims.h"

namespace proffer::sim {

// One life of it. Everything that it asked for later is void when it is gone.
class RunnerNode : public std::enable_shared_from_this<RunnerNode> {
 public:
  using Post = std::function<void(agent::Event)>;
  RunnerNode(World* world, Shims* shims, Post post)
      : world_(world), shims_(shims), post_(std::move(post)) {}

  void Do(const agent::ContainerCommand& command);

 private:
  struct Container {
    model::AttemptId attempt;
    std::shared_ptr<const model::LaunchTask> launch;  // Until the program is known to run.
    bool waiting = false;                             // For a launcher.
    bool connected = false;
    bool recovering = false;
    bool forgotten = false;
    bool over = false;
    int tries = 0;
    std::optional<int64_t> kill_ms;
  };

  void Launch(const agent::LaunchContainer& command);
  void Kill(const agent::KillContainer& command);
  void Forget(const model::AttemptId& attempt);
  void Recover(const agent::RecoverContainer& command);
  void Keep(const agent::KeepContainers& command);

  Container& Add(const model::AttemptId& attempt);
  void Start(const model::AttemptId& attempt, int64_t waited_ms);
  void Examine(const model::AttemptId& attempt);
  void Lost(const model::AttemptId& attempt);
  void Take(const model::AttemptId& attempt, const launcher::Frame& frame);
  void Over(const model::AttemptId& attempt, agent::Event event);
  Shims::Hearer HearerOf(const model::AttemptId& attempt);
  void After(int64_t ms, std::function<void()> what);

  World* const world_;
  Shims* const shims_;
  const Post post_;
  std::map<model::AttemptId, Container> containers_;
};

}  // namespace proffer::sim
