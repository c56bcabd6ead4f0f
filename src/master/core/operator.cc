#include "master/core/operator.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/simulation.h"
#include "master/core/liveness.h"
#include "master/core/validate.h"
#include "master/core/world.h"

namespace proffer::master {
namespace {

struct Answering {
  World& world;
  uint64_t request;

  void Answer(model::Outcome outcome, uint64_t after_seq = 0) const {
    world.out->answers.push_back({request, after_seq, std::move(outcome)});
  }

  void operator()(const KillTaskAsked& asked) const {
    Framework* framework = world.frameworks.Find(asked.key.framework);
    Task* task = framework == nullptr ? nullptr : FindTask(*framework, asked.key.task);
    if (task == nullptr) {
      Answer({model::Refusal::kUnknownTask,
              absl::StrCat("no task ", asked.key.task.value(), " of framework ",
                           asked.key.framework.value(), " lives")});
      return;
    }
    if (task->ended()) {
      Answer({model::Refusal::kInvalid,
              absl::StrCat("task ", asked.key.task.value(), " has ended already")});
      return;
    }
    if (asked.grace_ms && (*asked.grace_ms < 0 || *asked.grace_ms > limits::kKillGraceMaxMs)) {
      Answer({model::Refusal::kInvalid, "the grace must be between 0 and 1 h"});
      return;
    }
    RequestKill(world, *task, asked.grace_ms);
    Answer(model::Outcome::Ok());
  }

  void operator()(const TeardownAsked& asked) const {
    Framework* framework = world.frameworks.Find(asked.framework);
    if (framework == nullptr) {
      Answer({model::Refusal::kUnknownFramework,
              absl::StrCat("no framework ", asked.framework.value(), " is known")});
      return;
    }
    TearDown(world, *framework, "torn down by an operator");
    Answer(model::Outcome::Ok(), world.last_seq);
  }

  void operator()(const WeightAsked& asked) const {
    if (absl::Status valid = ValidateRole(asked.role); !valid.ok() || asked.role == "*") {
      Answer({model::Refusal::kInvalid, asked.role == "*" ? "role * has no weight of its own"
                                                          : std::string(valid.message())});
      return;
    }
    if (asked.weight_milli < 1 || asked.weight_milli > 1'000'000'000) {
      Answer({model::Refusal::kInvalid, "a weight is between 0.001 and 1000000"});
      return;
    }
    if (model::Outcome o = ValidateNewRoles(world, {asked.role}); !o.ok()) {
      Answer(std::move(o));
      return;
    }
    world.allocator.SetWeight(world.allocator.InternRole(asked.role), asked.weight_milli);
    Answer(model::Outcome::Ok(), world.Write(WeightRecord{asked.role, asked.weight_milli}));
    world.touched.shares = true;
    world.Note(absl::StrCat("role ", asked.role, " has weight ", asked.weight_milli, "/1000"));
  }

  void operator()(const MarkGoneAsked& asked) const {
    Agent* agent = world.agents.Find(asked.agent);
    if (agent == nullptr && MUTANT("nobody-declared-gone")) {
      world.Write(AgentRecord{asked.agent, AgentRecord::State::kGone, {}});
    }
    if (agent == nullptr) {
      REACHED("an operator declares an agent gone that nobody knows");
      Answer(
          {model::Refusal::kInvalid, absl::StrCat("no agent ", asked.agent.value(), " is known")});
      return;
    }
    Answer(model::Outcome::Ok(), MarkGone(world, *agent));
  }

  void operator()(const ExplainAsked&) const {
    auto basis = std::make_shared<ExplainBasis>(world.allocator, world.now);
    for (const auto& [id, framework] : world.frameworks.all()) {
      basis->frameworks[id] = {framework.index, framework.info.name, framework.connected(),
                               framework.info.roles};
    }
    basis->hostnames.resize(world.agents.size());
    for (const auto& [id, agent] : world.agents.all()) {
      basis->hostnames[agent.index.value] = agent.name();
    }
    world.out->explain.push_back({request, std::move(basis)});
  }

  void operator()(const DataAsked& asked) const {
    const Agent* agent = world.agents.Find(asked.agent);
    if (agent == nullptr || !agent->connected()) {
      Answer({model::Refusal::kAgentUnavailable,
              absl::StrCat("agent ", asked.agent.value(), " is not connected just now")});
      return;
    }
    world.Tell(*agent, model::OpenData{});
    Answer(model::Outcome::Ok());
  }
};

}  // namespace

void OperatorAskedFor(World& world, const OperatorAsked& asked) {
  std::visit(Answering{world, asked.request}, asked.what);
}

}  // namespace proffer::master
