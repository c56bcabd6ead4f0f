#include "common/convert/scheduler.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/status.h"
#include "common/convert/task.h"

namespace proffer::convert {
namespace {

using OfferIds = google::protobuf::RepeatedPtrField<v1::EpochId>;

absl::StatusOr<std::vector<model::OfferId>> OfferIdsFrom(const OfferIds& in) {
  if (in.size() > limits::kOffersPerCall) {
    return absl::InvalidArgumentError(absl::StrCat("the call names ", in.size(),
                                                   " offers; at most ", limits::kOffersPerCall,
                                                   " are allowed in one call; use several"));
  }
  std::vector<model::OfferId> out;
  out.reserve(in.size());
  for (const v1::EpochId& id : in) out.push_back(FromProto<model::OfferIdTag>(id));
  return out;
}

void PutOffers(const std::vector<model::OfferId>& ids, OfferIds* out) {
  for (const model::OfferId& id : ids) convert::ToProto(id, out->Add());
}

absl::StatusOr<model::Accept> From(const v1::Accept& in) {
  if (in.tasks_size() > limits::kTasksPerAccept) {
    return absl::InvalidArgumentError(absl::StrCat("accept launches ", in.tasks_size(),
                                                   " tasks; at most ", limits::kTasksPerAccept,
                                                   " are allowed in one call; use several"));
  }
  model::Accept out;
  ASSIGN_OR_RETURN(out.offers, OfferIdsFrom(in.offer_ids()));
  for (const v1::TaskSpec& task : in.tasks()) {
    absl::StatusOr<model::TaskSpec> spec = FromProto(task);
    if (!spec.ok()) return Annotate(spec.status(), absl::StrCat("task \"", task.task_id(), "\""));
    out.tasks.push_back(*std::move(spec));
  }
  if (in.has_refuse_ms()) out.refuse_ms = in.refuse_ms();
  return out;
}

absl::StatusOr<model::SetDemand> From(const v1::SetDemand& in) {
  if (in.demands_size() > limits::kDemandShapes) {
    return absl::InvalidArgumentError(absl::StrCat(in.demands_size(), " demands; at most ",
                                                   limits::kDemandShapes, " are allowed"));
  }
  if (in.ByteSizeLong() > limits::kDemandBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the demands take ", in.ByteSizeLong(), " bytes; at most ", limits::kDemandBytes,
        " are allowed; name fewer constraints and values, or test by MATCHES"));
  }
  model::SetDemand out;
  out.declared = in.declared();
  for (const v1::Demand& demand : in.demands()) {
    ASSIGN_OR_RETURN(model::Demand converted, FromProto(demand));
    out.demands.push_back(std::move(converted));
  }
  return out;
}

absl::StatusOr<model::Reconcile> From(const v1::Reconcile& in) {
  if (in.tasks_size() > limits::kTasksPerReconcile) {
    return absl::InvalidArgumentError(absl::StrCat("reconcile names ", in.tasks_size(),
                                                   " tasks; at most ", limits::kTasksPerReconcile,
                                                   " are allowed in one call; use several"));
  }
  model::Reconcile out;
  for (const v1::Reconcile::Task& task : in.tasks()) {
    // The answer repeats them.
    RETURN_IF_ERROR(model::ValidateId("task id", task.task_id()));
    out.tasks.push_back({model::TaskId(task.task_id()), model::AgentId(task.agent_id())});
  }
  return out;
}

model::Subscribe From(const v1::Subscribe& in) {
  return {FromProto(in.version()), FromProto(in.framework()), FromProto(in.suppressed_roles()),
          in.instance(), in.cluster_id()};
}

model::CallResult From(const v1::CallResult& in) {
  model::CallResult out;
  out.call_id = in.call_id();
  for (const v1::CallResult::Item& item : in.items()) {
    out.items.push_back({item.id(),
                         {FromProto(item.refusal()), item.message()},
                         FromProto<model::AttemptIdTag>(item.attempt())});
  }
  return out;
}

// Visitors that fill the arm of a message.
struct CallArms {
  v1::SchedulerCall* out;

  void operator()(const std::monostate&) const {}
  void operator()(const model::Subscribe& in) const {
    v1::Subscribe* arm = out->mutable_subscribe();
    ToProto(in.version, arm->mutable_version());
    ToProto(in.framework, arm->mutable_framework());
    ToProto(in.suppressed_roles, arm->mutable_suppressed_roles());
    arm->set_instance(in.instance);
    arm->set_cluster_id(in.cluster_id);
  }
  void operator()(const model::Accept& in) const {
    v1::Accept* arm = out->mutable_accept();
    PutOffers(in.offers, arm->mutable_offer_ids());
    for (const model::TaskSpec& task : in.tasks) convert::ToProto(task, arm->add_tasks());
    if (in.refuse_ms) arm->set_refuse_ms(*in.refuse_ms);
  }
  void operator()(const model::Decline& in) const {
    v1::Decline* arm = out->mutable_decline();
    PutOffers(in.offers, arm->mutable_offer_ids());
    if (in.refuse_ms) arm->set_refuse_ms(*in.refuse_ms);
    arm->set_reason(static_cast<v1::DeclineReason>(in.reason));
  }
  void operator()(const model::Suppress& in) const {
    ToProto(in.roles, out->mutable_suppress()->mutable_roles());
  }
  void operator()(const model::Revive& in) const {
    ToProto(in.roles, out->mutable_revive()->mutable_roles());
  }
  void operator()(const model::SetDemand& in) const {
    v1::SetDemand* arm = out->mutable_set_demand();
    arm->set_declared(in.declared);
    for (const model::Demand& demand : in.demands) convert::ToProto(demand, arm->add_demands());
  }
  void operator()(const model::Kill& in) const {
    v1::Kill* arm = out->mutable_kill();
    arm->set_task_id(in.task.value());
    if (in.attempt != model::AttemptId()) convert::ToProto(in.attempt, arm->mutable_attempt());
    if (in.grace_ms) arm->set_grace_ms(*in.grace_ms);
  }
  void operator()(const model::Acknowledge& in) const {
    v1::Acknowledge* arm = out->mutable_acknowledge();
    arm->set_task_id(in.task.value());
    arm->set_agent_id(in.agent.value());
    convert::ToProto(in.attempt, arm->mutable_attempt());
    arm->set_sequence(in.sequence);
  }
  void operator()(const model::Reconcile& in) const {
    v1::Reconcile* arm = out->mutable_reconcile();
    for (const model::Reconcile::Task& task : in.tasks) {
      v1::Reconcile::Task* added = arm->add_tasks();
      added->set_task_id(task.task.value());
      added->set_agent_id(task.agent.value());
    }
  }
  void operator()(const model::UpdateFramework& in) const {
    v1::UpdateFramework* arm = out->mutable_update_framework();
    ToProto(in.roles, arm->mutable_roles());
    arm->set_failover_timeout_ms(in.failover_timeout_ms);
    ToProto(in.suppressed_roles, arm->mutable_suppressed_roles());
  }
  void operator()(const model::Teardown&) const { out->mutable_teardown(); }
  void operator()(const model::HeartbeatAnswer&) const { out->mutable_heartbeat(); }
};

struct EventArms {
  v1::SchedulerEvent* out;

  void operator()(const std::monostate&) const {}
  void operator()(const model::Subscribed& in) const {
    v1::Subscribed* arm = out->mutable_subscribed();
    ToProto(in.version, arm->mutable_version());
    arm->set_framework_id(in.framework.value());
    arm->set_cluster_id(in.cluster_id);
    arm->set_epoch(in.epoch);
    arm->set_heartbeat_ms(in.heartbeat_ms);
  }
  void operator()(const model::Offers& in) const {
    v1::Offers* arm = out->mutable_offers();
    for (const model::Offer& offer : in.offers) convert::ToProto(offer, arm->add_offers());
  }
  void operator()(const model::Rescinded& in) const {
    v1::Rescinded* arm = out->mutable_rescinded();
    PutOffers(in.offers, arm->mutable_offer_ids());
    arm->set_reason(in.reason);
  }
  void operator()(const model::TaskStatus& in) const {
    convert::ToProto(in, out->mutable_update());
  }
  void operator()(const model::CallResult& in) const {
    v1::CallResult* arm = out->mutable_result();
    arm->set_call_id(in.call_id);
    for (const model::CallResult::Item& item : in.items) {
      v1::CallResult::Item* added = arm->add_items();
      added->set_id(item.id);
      added->set_refusal(ToProto(item.outcome.refusal));
      added->set_message(item.outcome.message);
      if (item.attempt != model::AttemptId()) {
        convert::ToProto(item.attempt, added->mutable_attempt());
      }
    }
  }
  void operator()(const model::Heartbeat&) const { out->mutable_heartbeat(); }
  void operator()(const model::AgentChanged& in) const {
    v1::AgentChanged* arm = out->mutable_agent_changed();
    arm->set_agent_id(in.agent.value());
    arm->set_change(static_cast<v1::AgentChanged::Change>(in.change));
  }
  void operator()(const model::StreamError& in) const {
    v1::StreamError* arm = out->mutable_error();
    arm->set_refusal(ToProto(in.refusal));
    arm->set_message(in.message);
  }
};

}  // namespace

model::FrameworkInfo FromProto(const v1::FrameworkInfo& in) {
  model::FrameworkInfo out;
  out.id = model::FrameworkId(in.framework_id());
  out.name = in.name();
  out.roles = FromProto(in.roles());
  out.failover_timeout_ms = in.failover_timeout_ms();
  out.ephemeral = in.ephemeral();
  out.web_url = in.web_url();
  return out;
}

void ToProto(const model::FrameworkInfo& info, v1::FrameworkInfo* out) {
  out->set_framework_id(info.id.value());
  out->set_name(info.name);
  ToProto(info.roles, out->mutable_roles());
  out->set_failover_timeout_ms(info.failover_timeout_ms);
  out->set_ephemeral(info.ephemeral);
  out->set_web_url(info.web_url);
}

absl::StatusOr<model::SchedulerCall> FromProto(const v1::SchedulerCall& in) {
  model::SchedulerCall out;
  out.call_id = in.call_id();
  switch (in.call_case()) {
    case v1::SchedulerCall::kSubscribe:
      out.call = From(in.subscribe());
      break;
    case v1::SchedulerCall::kAccept: {
      ASSIGN_OR_RETURN(out.call, From(in.accept()));
      break;
    }
    case v1::SchedulerCall::kDecline: {
      model::Decline decline;
      ASSIGN_OR_RETURN(decline.offers, OfferIdsFrom(in.decline().offer_ids()));
      if (in.decline().has_refuse_ms()) decline.refuse_ms = in.decline().refuse_ms();
      decline.reason = EnumFrom(in.decline().reason(), model::kDeclineReasonMax,
                                model::DeclineReason::kUnspecified);
      out.call = std::move(decline);
      break;
    }
    case v1::SchedulerCall::kSuppress:
      out.call = model::Suppress{FromProto(in.suppress().roles())};
      break;
    case v1::SchedulerCall::kRevive:
      out.call = model::Revive{FromProto(in.revive().roles())};
      break;
    case v1::SchedulerCall::kSetDemand: {
      ASSIGN_OR_RETURN(out.call, From(in.set_demand()));
      break;
    }
    case v1::SchedulerCall::kKill: {
      model::Kill kill;
      RETURN_IF_ERROR(model::ValidateId("task id", in.kill().task_id()));
      kill.task = model::TaskId(in.kill().task_id());
      kill.attempt = FromProto<model::AttemptIdTag>(in.kill().attempt());
      if (in.kill().has_grace_ms()) kill.grace_ms = in.kill().grace_ms();
      out.call = std::move(kill);
      break;
    }
    case v1::SchedulerCall::kAcknowledge:
      out.call = model::Acknowledge{
          model::TaskId(in.acknowledge().task_id()), model::AgentId(in.acknowledge().agent_id()),
          FromProto<model::AttemptIdTag>(in.acknowledge().attempt()), in.acknowledge().sequence()};
      break;
    case v1::SchedulerCall::kReconcile: {
      ASSIGN_OR_RETURN(out.call, From(in.reconcile()));
      break;
    }
    case v1::SchedulerCall::kUpdateFramework:
      out.call = model::UpdateFramework{FromProto(in.update_framework().roles()),
                                        in.update_framework().failover_timeout_ms(),
                                        FromProto(in.update_framework().suppressed_roles())};
      break;
    case v1::SchedulerCall::kTeardown:
      out.call = model::Teardown{};
      break;
    case v1::SchedulerCall::kHeartbeat:
      out.call = model::HeartbeatAnswer{};
      break;
    case v1::SchedulerCall::CALL_NOT_SET:
      break;
  }
  return out;
}

void ToProto(const model::SchedulerCall& call, v1::SchedulerCall* out) {
  out->set_call_id(call.call_id);
  std::visit(CallArms{out}, call.call);
}

absl::StatusOr<model::SchedulerEvent> FromProto(const v1::SchedulerEvent& in) {
  switch (in.event_case()) {
    case v1::SchedulerEvent::kSubscribed:
      return model::SchedulerEvent(model::Subscribed{
          FromProto(in.subscribed().version()), model::FrameworkId(in.subscribed().framework_id()),
          in.subscribed().cluster_id(), in.subscribed().epoch(), in.subscribed().heartbeat_ms()});
    case v1::SchedulerEvent::kOffers: {
      model::Offers out;
      for (const v1::Offer& offer : in.offers().offers()) {
        ASSIGN_OR_RETURN(model::Offer converted, FromProto(offer));
        out.offers.push_back(std::move(converted));
      }
      return model::SchedulerEvent(std::move(out));
    }
    case v1::SchedulerEvent::kRescinded: {
      ASSIGN_OR_RETURN(std::vector<model::OfferId> offers,
                       OfferIdsFrom(in.rescinded().offer_ids()));
      return model::SchedulerEvent(model::Rescinded{std::move(offers), in.rescinded().reason()});
    }
    case v1::SchedulerEvent::kUpdate:
      return model::SchedulerEvent(FromProto(in.update()));
    case v1::SchedulerEvent::kResult:
      return model::SchedulerEvent(From(in.result()));
    case v1::SchedulerEvent::kHeartbeat:
      return model::SchedulerEvent(model::Heartbeat{});
    case v1::SchedulerEvent::kAgentChanged:
      return model::SchedulerEvent(model::AgentChanged{
          model::AgentId(in.agent_changed().agent_id()),
          EnumFrom(in.agent_changed().change(), 3, model::AgentChanged::Change::kUnspecified)});
    case v1::SchedulerEvent::kError:
      return model::SchedulerEvent(
          model::StreamError{FromProto(in.error().refusal()), in.error().message()});
    case v1::SchedulerEvent::EVENT_NOT_SET:
      break;
  }
  return model::SchedulerEvent(std::monostate{});
}

void ToProto(const model::SchedulerEvent& event, v1::SchedulerEvent* out) {
  std::visit(EventArms{out}, event);
}

}  // namespace proffer::convert
