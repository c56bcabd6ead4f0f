#include "master/core/core.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/simulation.h"
#include "master/core/invariants.h"
#include "master/core/liveness.h"
#include "master/core/operator.h"
#include "master/core/registration.h"
#include "master/core/scheduler_calls.h"
#include "master/core/world.h"

namespace proffer::master {
namespace {

allocator::Options AllocatorOptions(const Config& config) {
  allocator::Options options;
  options.seed = config.seed;
  options.max_outstanding_grants = config.max_outstanding_offers;
  // The kinds that matter here have the same index in every allocator.
  allocator::Allocator kinds(options);
  for (const Quantities& minimum : config.minimum_allocatable) {
    if (absl::StatusOr<allocator::Amounts> amounts = kinds.Intern(minimum); amounts.ok()) {
      options.minimum_allocatable.push_back(*amounts);
    }
  }
  return options;
}

struct AgentHasSaid {
  World& world;
  StreamId stream;
  Time received;

  void operator()(model::AgentHello hello) const {
    if (Agent* agent = world.agents.FindByStream(stream)) {
      Refuse("this stream has said hello already; open a new one");
      AgentStreamEnded(world, *agent);
      return;
    }
    AgentSaidHello(world, stream, received, hello);
  }
  void operator()(model::TaskChunk chunk) const {
    if (Agent* agent = Known()) AgentReportedTasks(world, *agent, std::move(chunk));
  }
  void operator()(const model::AgentUpdate& update) const {
    Agent* agent = Known();
    if (agent == nullptr) return;
    if (agent->registering) {
      Refuse("statuses may be sent only after `registered`");
      AgentStreamEnded(world, *agent);
      return;
    }
    AgentUpdated(world, *agent, update);
  }
  void operator()(const model::Pong&) const { Known(); }
  void operator()(const model::Goodbye& goodbye) const {
    if (Agent* agent = Known()) {
      world.Note(absl::StrCat("agent ", agent->name(), " says goodbye: ", goodbye.reason));
    }
  }
  void operator()(const std::monostate&) const { Known(); }

 private:
  Agent* Known() const {
    Agent* agent = world.agents.FindByStream(stream);
    if (agent == nullptr) {
      Refuse("the first message of an agent must be `hello`");
      return nullptr;
    }
    AgentWasHeard(world, *agent, received);
    return agent;
  }
  void Refuse(std::string message) const {
    RefuseAgent(world, stream, model::Refusal::kNotSubscribed, std::move(message));
  }
};

struct Stepped {
  World& world;

  void operator()(const AgentSaid& said) const {
    std::visit(AgentHasSaid{world, said.stream, said.received}, said.message);
  }
  void operator()(const AgentStreamClosed& closed) const {
    if (Agent* agent = world.agents.FindByStream(closed.stream)) AgentStreamEnded(world, *agent);
  }
  void operator()(const SchedulerSaid& said) const { SchedulerCalled(world, said); }
  void operator()(const SchedulerSaidNonsense& said) const { SchedulerCalledNonsense(world, said); }
  void operator()(const SchedulerStreamClosed& closed) const {
    if (Framework* framework = world.frameworks.FindByStream(closed.stream)) {
      FrameworkStreamClosed(world, *framework);
    }
  }
  void operator()(const OperatorAsked& asked) const { OperatorAskedFor(world, asked); }
};

}  // namespace

Core::Core(const Config& config, const Registry& registry, Time now, int64_t unix_ms,
           Effects* effects)
    : world_(std::make_unique<World>(config, AllocatorOptions(config))) {
  BeginTurn(now, unix_ms, effects);
  for (const auto& [role, weight_milli] : registry.weights) {
    world_->allocator.SetWeight(world_->allocator.InternRole(role), weight_milli);
  }
  for (const auto& [id, record] : registry.frameworks) RecoverFramework(*world_, record);
  for (const auto& [id, record] : registry.agents) RecoverAgent(*world_, record);
  world_->touched.shares = true;
  EndTurn();
}

Core::~Core() = default;

void Core::BeginTurn(Time now, int64_t unix_ms, Effects* effects) {
  world_->now = now;
  world_->unix_ms = unix_ms;
  world_->out = effects;
  // A turn that begins much later than planned means that we were stopped, not the others.
  if (planned_ < now && now - planned_ > limits::kLateTurnMs && planned_ > Time{0}) {
    const int64_t gap_ms = now - planned_;
    world_->Note(
        absl::StrCat("a turn began ", gap_ms, " ms late; deadlines of liveness move by as much"));
    ForgiveSilence(*world_, gap_ms);
  }
}

void Core::Step(const Event& event) { std::visit(Stepped{*world_}, event); }

void Core::EndTurn() {
  HandleDue();
  RemoveEnded(*world_);
  MakeOffers(*world_);
  EmitDeltas(*world_);
  planned_ = NextDeadline();
  world_->out = nullptr;
}

void Core::HandleDue() {
  World& world = *world_;
  while (const std::optional<Timers::Key> key = world.timers.PopDue(world.now)) {
    const uint32_t index = static_cast<uint32_t>(key->number);
    switch (key->kind) {
      case TimerKind::kAgentPing:
        PingDue(world, world.agents.At(allocator::AgentIndex(index)));
        break;
      case TimerKind::kAgentSilence:
        SilenceDue(world, world.agents.At(allocator::AgentIndex(index)));
        break;
      case TimerKind::kHeartbeat:
        HeartbeatDue(world, world.frameworks.At(allocator::FrameworkIndex(index)));
        break;
      case TimerKind::kFailover: {
        Framework& framework = world.frameworks.At(allocator::FrameworkIndex(index));
        REACHED("the failover timeout of a framework passed");
        TearDown(world, framework,
                 absl::StrCat("no scheduler came back within ",
                              framework.failover_timeout_ms() / 1000, " s"));
        break;
      }
      case TimerKind::kElapsed:
        ElapsedDue(world, world.frameworks.At(allocator::FrameworkIndex(index)));
        break;
      case TimerKind::kOffer:
        OfferTimedOut(world, key->number);
        break;
    }
  }
}

Time Core::NextDeadline() const {
  // Even with nothing to do: how long the process itself was stopped shows by a turn that is late.
  return std::min({world_->timers.Next(), world_->allocator.NextDeadline(),
                   world_->now + limits::kLongestSleepMs});
}

absl::Status Core::CheckInvariants() const { return master::CheckInvariants(*world_); }

}  // namespace proffer::master
