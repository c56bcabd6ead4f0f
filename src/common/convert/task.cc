#include "common/convert/task.h"

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/status.h"
#include "common/base/utf8.h"

namespace proffer::convert {
namespace {

absl::Status CheckDuration(absl::string_view what, int64_t ms) {
  if (ms >= 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, " is ", ms, " ms; expected 0 or more, in milliseconds"));
}

}  // namespace

absl::StatusOr<model::TaskSpec> FromProto(const v1::TaskSpec& in) {
  RETURN_IF_ERROR(model::ValidateId("task id", in.task_id()));
  if (in.name().size() > limits::kIdBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("task name has ", in.name().size(), " bytes; at most ", limits::kIdBytes));
  }
  if (in.intent_id().size() > limits::kIdBytes) {
    return absl::InvalidArgumentError(absl::StrCat("intent id has ", in.intent_id().size(),
                                                   " bytes; at most ", limits::kIdBytes));
  }
  RETURN_IF_ERROR(CheckDuration("kill_grace_ms", in.kill_grace_ms()));
  RETURN_IF_ERROR(CheckDuration("max_run_time_ms", in.max_run_time_ms()));
  RETURN_IF_ERROR(CheckDuration("stop_after_disconnect_ms", in.stop_after_disconnect_ms()));
  model::TaskSpec out;
  out.id = model::TaskId(in.task_id());
  out.name = in.name().empty() ? in.task_id() : in.name();
  ASSIGN_OR_RETURN(out.resources, FromProto(in.resources()));
  std::string payload = in.payload().SerializeAsString();
  if (payload.size() > limits::kCommandBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("command, environment and labels take ", payload.size(), " bytes; at most ",
                     limits::kCommandBytes, " are allowed; put large input into a file"));
  }
  out.payload = std::make_shared<const std::string>(std::move(payload));
  out.intent_id = in.intent_id();
  out.kill_grace_ms = in.kill_grace_ms();
  out.max_run_time_ms = in.max_run_time_ms();
  out.stop_after_disconnect_ms = in.stop_after_disconnect_ms();
  return out;
}

void ToProto(const model::TaskSpec& spec, v1::TaskSpec* out) {
  out->set_task_id(spec.id.value());
  out->set_name(spec.name);
  ToProto(spec.resources, out->mutable_resources());
  // Serialised by FromProto above or by the SDK, so it always parses.
  if (spec.payload) out->mutable_payload()->ParseFromString(*spec.payload);
  out->set_intent_id(spec.intent_id);
  out->set_kill_grace_ms(spec.kill_grace_ms);
  out->set_max_run_time_ms(spec.max_run_time_ms);
  out->set_stop_after_disconnect_ms(spec.stop_after_disconnect_ms);
}

model::TaskStatus FromProto(const v1::TaskStatus& in) {
  model::TaskStatus out;
  out.task = model::TaskId(in.task_id());
  out.attempt = FromProto<model::AttemptIdTag>(in.attempt());
  out.agent = model::AgentId(in.agent_id());
  out.state = FromProto(in.state());
  out.reason = FromProto(in.reason());
  out.message = in.message();
  CutUtf8(limits::kMessageTextBytes, &out.message);
  out.source = EnumFrom(in.source(), 3, model::StatusSource::kUnspecified);
  out.sequence = in.sequence();
  if (in.has_exit_code()) out.exit_code = in.exit_code();
  if (in.has_signal()) out.signal = in.signal();
  out.time_unix_ms = in.time_unix_ms();
  out.intent_id = in.intent_id();
  return out;
}

void ToProto(const model::TaskStatus& status, v1::TaskStatus* out) {
  out->set_task_id(status.task.value());
  if (status.attempt != model::AttemptId()) ToProto(status.attempt, out->mutable_attempt());
  out->set_agent_id(status.agent.value());
  out->set_state(ToProto(status.state));
  out->set_reason(ToProto(status.reason));
  out->set_message(status.message);
  out->set_source(static_cast<v1::StatusSource>(status.source));
  out->set_sequence(status.sequence);
  if (status.exit_code) out->set_exit_code(*status.exit_code);
  if (status.signal) out->set_signal(*status.signal);
  out->set_time_unix_ms(status.time_unix_ms);
  out->set_intent_id(status.intent_id);
}

absl::StatusOr<model::Offer> FromProto(const v1::Offer& in) {
  model::Offer out;
  out.id = FromProto<model::OfferIdTag>(in.id());
  out.role = in.role();
  out.agent = model::AgentId(in.agent_id());
  out.facts.hostname = in.hostname();
  out.facts.region = in.region();
  out.facts.zone = in.zone();
  ASSIGN_OR_RETURN(out.facts.attributes, FromProto(in.attributes()));
  ASSIGN_OR_RETURN(out.resources, FromProto(in.resources()));
  out.resources_generation = in.resources_generation();
  return out;
}

void ToProto(const model::Offer& offer, v1::Offer* out) {
  ToProto(offer.id, out->mutable_id());
  out->set_role(offer.role);
  out->set_agent_id(offer.agent.value());
  out->set_hostname(offer.facts.hostname);
  out->set_region(offer.facts.region);
  out->set_zone(offer.facts.zone);
  ToProto(offer.facts.attributes, out->mutable_attributes());
  ToProto(offer.resources, out->mutable_resources());
  out->set_resources_generation(offer.resources_generation);
}

absl::StatusOr<model::Demand> FromProto(const v1::Demand& in) {
  model::Demand out;
  out.role = in.role();
  // Map order is random: sort before anything can depend on it.
  for (const auto& [name, amount] :
       std::map<std::string, int64_t>(in.shape().begin(), in.shape().end())) {
    RETURN_IF_ERROR(ValidateName(name));
    if (amount < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("demand of ", name, " is ", amount, "; expected 0 or more"));
    }
    out.shape.Set(name, amount);
  }
  if (in.count() < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("demand count is ", in.count(), "; expected 0 or more"));
  }
  out.count = in.count();
  ASSIGN_OR_RETURN(out.constraints, FromProto(in.constraints()));
  out.label = in.label();
  CutUtf8(limits::kIdBytes, &out.label);
  return out;
}

void ToProto(const model::Demand& demand, v1::Demand* out) {
  out->set_role(demand.role);
  for (const auto& [name, amount] : demand.shape.items()) (*out->mutable_shape())[name] = amount;
  out->set_count(demand.count);
  ToProto(demand.constraints, out->mutable_constraints());
  out->set_label(demand.label);
}

}  // namespace proffer::convert
