#include "master/view_proto.h"

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "common/convert/task.h"
#include "common/convert/values.h"

namespace proffer::master {
namespace {

struct Filled {
  v1::Object* out;

  void operator()(const AgentView& view) const {
    v1::AgentView* to = out->mutable_agent();
    to->set_agent_id(view.id.value());
    to->set_hostname(view.facts.hostname);
    to->set_region(view.facts.region);
    to->set_zone(view.facts.zone);
    convert::ToProto(view.facts.attributes, to->mutable_attributes());
    to->set_state(static_cast<v1::AgentState>(view.state));
    convert::ToProto(view.total, to->mutable_total());
    convert::ToProto(view.used, to->mutable_used());
    convert::ToProto(view.offered, to->mutable_offered());
    to->set_tasks(view.tasks);
    to->set_resources_generation(view.resources_generation);
    to->set_version(view.version);
  }
  void operator()(const FrameworkView& view) const {
    v1::FrameworkView* to = out->mutable_framework();
    to->set_framework_id(view.info.id.value());
    to->set_name(view.info.name);
    to->set_principal(view.principal);
    convert::ToProto(view.info.roles, to->mutable_roles());
    to->set_connected(view.connected);
    to->set_ephemeral(view.info.ephemeral);
    convert::ToProto(view.suppressed_roles, to->mutable_suppressed_roles());
    to->set_failover_timeout_ms(view.info.failover_timeout_ms);
    to->set_offers(view.offers);
    to->set_live_tasks(view.live_tasks);
    to->set_ended_tasks(view.ended_tasks);
    to->set_demand_declared(view.demand_declared);
    for (const model::Demand& demand : view.demands) convert::ToProto(demand, to->add_demands());
    to->set_removed(view.removed);
    to->set_web_url(view.info.web_url);
  }
  void operator()(const TaskView& view) const {
    v1::TaskView* to = out->mutable_task();
    to->set_framework_id(view.key.framework.value());
    to->set_framework_name(view.framework_name);
    to->set_task_id(view.key.task.value());
    to->set_name(view.name);
    convert::ToProto(view.attempt, to->mutable_attempt());
    to->set_agent_id(view.agent.value());
    to->set_hostname(view.hostname);
    to->set_role(view.role);
    to->set_state(convert::ToProto(view.state));
    to->set_reason(convert::ToProto(view.reason));
    to->set_message(view.message);
    convert::ToProto(view.resources, to->mutable_resources());
    if (view.exit_code) to->set_exit_code(*view.exit_code);
    if (view.signal) to->set_signal(*view.signal);
    to->set_launched_unix_ms(view.launched_unix_ms);
    to->set_running_unix_ms(view.running_unix_ms);
    to->set_ended_unix_ms(view.ended_unix_ms);
    to->set_unacknowledged(view.unacknowledged);
  }
  void operator()(const OfferView& view) const {
    v1::OfferView* to = out->mutable_offer();
    convert::ToProto(view.id, to->mutable_id());
    to->set_framework_id(view.framework.value());
    to->set_framework_name(view.framework_name);
    to->set_role(view.role);
    to->set_agent_id(view.agent.value());
    to->set_hostname(view.hostname);
    convert::ToProto(view.resources, to->mutable_resources());
    to->set_made_unix_ms(view.made_unix_ms);
  }
  void operator()(const RoleView& view) const {
    v1::RoleView* to = out->mutable_role();
    to->set_role(view.role);
    to->set_weight_thousandths(view.weight_milli);
    to->set_share(view.share);
    to->set_weighted_share(view.weighted_share);
    for (const auto& [name, count] : view.held.items()) (*to->mutable_held())[name] = count;
    to->set_frameworks(view.frameworks);
  }
};

// Numbers in an order that texts keep.
std::string Sortable(const v1::EpochId& id) {
  char text[48];
  std::snprintf(text, sizeof(text), "%020llu-%020llu", static_cast<unsigned long long>(id.epoch()),
                static_cast<unsigned long long>(id.n()));
  return text;
}

}  // namespace

v1::Object ToObject(const View& view) {
  v1::Object object;
  std::visit(Filled{&object}, view);
  return object;
}

v1::Kind KindOf(const v1::Object& object) {
  switch (object.object_case()) {
    case v1::Object::kAgent:
      return v1::AGENTS;
    case v1::Object::kFramework:
      return v1::FRAMEWORKS;
    case v1::Object::kTask:
      return v1::TASKS;
    case v1::Object::kOffer:
      return v1::OFFERS;
    case v1::Object::kRole:
      return v1::ROLES;
    case v1::Object::OBJECT_NOT_SET:
      break;
  }
  return v1::KIND_UNSPECIFIED;
}

std::string IdOf(const v1::Object& object) {
  switch (object.object_case()) {
    case v1::Object::kAgent:
      return object.agent().agent_id();
    case v1::Object::kFramework:
      return object.framework().framework_id();
    case v1::Object::kTask:
      return absl::StrCat(object.task().framework_id(), "/", object.task().task_id(), "/",
                          Sortable(object.task().attempt()));
    case v1::Object::kOffer:
      return Sortable(object.offer().id());
    case v1::Object::kRole:
      return object.role().role();
    case v1::Object::OBJECT_NOT_SET:
      break;
  }
  return "";
}

}  // namespace proffer::master
