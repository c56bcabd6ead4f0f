#include "master/core/scheduler_calls.h"

#include <utility>

#include "common/base/simulation.h"
#include "master/core/reconciliation.h"
#include "master/core/world.h"

namespace proffer::master {
namespace {

void RefuseUnsubscribed(World& world, StreamId stream) {
  REACHED("a scheduler calls before it has subscribed");
  world.out->to_schedulers.push_back(
      {stream, 0,
       model::StreamError{model::Refusal::kNotSubscribed,
                          "the first call on a stream must be `subscribe`; open a new stream and "
                          "begin with it"},
       true});
}

struct Called {
  World& world;
  Framework& framework;
  uint64_t call_id;

  void operator()(const std::monostate&) const {
    world.Answer(framework, call_id,
                 {model::Refusal::kInvalid,
                  "this master does not know that call; it may be older than the client"});
  }
  void operator()(const model::Subscribe& subscribe) const {
    FrameworkSubscribed(world, framework.stream, framework.principal, call_id, subscribe);
  }
  void operator()(const model::Accept& accept) const {
    OffersAccepted(world, framework, call_id, accept);
  }
  void operator()(const model::Decline& decline) const {
    OffersDeclined(world, framework, call_id, decline);
  }
  void operator()(const model::Suppress& suppress) const {
    RolesSuppressed(world, framework, call_id, suppress.roles);
  }
  void operator()(const model::Revive& revive) const {
    RolesRevived(world, framework, call_id, revive.roles);
  }
  void operator()(const model::SetDemand& set) const { DemandSet(world, framework, call_id, set); }
  void operator()(const model::Kill& kill) const { KillCalled(world, framework, call_id, kill); }
  void operator()(const model::Acknowledge& ack) const {
    UpdateAcknowledged(world, framework, ack);
  }
  void operator()(const model::Reconcile& reconcile) const {
    ReconcileCalled(world, framework, call_id, reconcile);
  }
  void operator()(const model::UpdateFramework& update) const {
    FrameworkUpdated(world, framework, call_id, update);
  }
  void operator()(const model::Teardown&) const {
    TearDown(world, framework, "torn down by its scheduler", call_id);
  }
  void operator()(const model::HeartbeatAnswer&) const { ContinueAnswers(world, framework); }
};

}  // namespace

void SchedulerCalled(World& world, const SchedulerSaid& said) {
  Framework* framework = world.frameworks.FindByStream(said.stream);
  if (framework != nullptr) {
    framework->last_heard = world.now;
    std::visit(Called{world, *framework, said.call.call_id}, said.call.call);
    return;
  }
  if (const auto* subscribe = std::get_if<model::Subscribe>(&said.call.call)) {
    FrameworkSubscribed(world, said.stream, said.principal, said.call.call_id, *subscribe);
    return;
  }
  RefuseUnsubscribed(world, said.stream);
}

void SchedulerCalledNonsense(World& world, const SchedulerSaidNonsense& said) {
  Framework* framework = world.frameworks.FindByStream(said.stream);
  if (framework == nullptr) {
    RefuseUnsubscribed(world, said.stream);
    return;
  }
  framework->last_heard = world.now;
  world.Answer(*framework, said.call_id, {model::Refusal::kInvalid, said.message});
}

}  // namespace proffer::master
