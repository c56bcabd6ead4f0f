// Turns what users say into what the core takes, and back.
#include "sdk/translate.h"

#include <random>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/status.h"
#include "common/base/utf8.h"
#include "common/convert/task.h"
#include "proffer/v1/task.pb.h"

namespace proffer::sdk {
namespace {

// The enums of the public API have the numbers of the model's.
static_assert(static_cast<int>(TaskState::kUnknown) == model::kTaskStateMax);
static_assert(static_cast<int>(TaskReason::kAgentDeclaredGone) == model::kTaskReasonMax);
static_assert(static_cast<int>(DeclineReason::kBackingOff) == model::kDeclineReasonMax);
static_assert(static_cast<int>(StopCause::kStoreFailed) ==
              static_cast<int>(Stop::Cause::kStoreFailed));

uint64_t SeedFromKernel() {
  std::random_device device;
  return (uint64_t{device()} << 32) ^ device();
}

}  // namespace

bool IsDurable(const FrameworkOptions& options) {
  return options.durable.value_or(options.state_store != nullptr);
}

absl::StatusOr<Config> ToConfig(const FrameworkOptions& options) {
  RETURN_IF_ERROR(model::ValidateId("the framework's name", options.name));
  if (options.roles.empty()) {
    return absl::InvalidArgumentError("the framework has no role; leave it at \"default\"");
  }
  for (const std::string& role : options.roles) RETURN_IF_ERROR(ValidateRole(role));
  if (!IsUtf8(options.web_url)) {
    return absl::InvalidArgumentError("the framework's web_url is not UTF-8; encode it");
  }
  if (options.failover_timeout.count() < 0 || options.give_up_after.count() < 0) {
    return absl::InvalidArgumentError("a timeout of the framework is negative; expected 0 or more");
  }
  Config config;
  config.framework.name = options.name;
  config.framework.roles = options.roles;
  config.framework.failover_timeout_ms = options.failover_timeout.count();
  config.framework.ephemeral = !IsDurable(options);
  config.framework.web_url = options.web_url;
  config.on_removed =
      options.on_removed == proffer::OnRemoved::kNewId ? OnRemoved::kNewId : OnRemoved::kFail;
  config.give_up_after_ms = options.give_up_after.count();
  config.seed = SeedFromKernel();
  return config;
}

model::Payload ToPayload(const Task& task) {
  v1::TaskPayload payload;
  for (const std::string& arg : task.args()) payload.mutable_command()->add_argv(arg);
  for (const auto& [name, value] : task.env()) {
    v1::EnvironmentVariable* variable = payload.mutable_command()->add_environment();
    variable->set_name(name);
    variable->set_value(value);
  }
  payload.mutable_command()->set_user(task.user());
  payload.mutable_command()->set_working_directory(task.working_directory());
  if (task.cpu_limit_milli() > 0) {
    payload.mutable_container()->set_cpu_limit_milli(task.cpu_limit_milli());
  }
  if (task.pids_limit() > 0) payload.mutable_container()->set_pids_limit(task.pids_limit());
  for (const std::string& name : task.capabilities()) {
    payload.mutable_container()->add_capabilities(name);
  }
  for (const auto& [name, value] : task.labels()) (*payload.mutable_labels())[name] = value;
  return std::make_shared<const std::string>(payload.SerializeAsString());
}

model::TaskSpec ToSpec(const Task& task, Resources resources) {
  model::TaskSpec spec;
  spec.id = model::TaskId(task.id());
  spec.name = task.name();
  spec.resources = std::move(resources);
  spec.payload = ToPayload(task);
  spec.kill_grace_ms = task.kill_grace_ms();
  spec.max_run_time_ms = task.max_run_time_ms();
  spec.stop_after_disconnect_ms = task.stop_after_disconnect_ms();
  return spec;
}

QueuedTask ToQueued(const Task& task) {
  QueuedTask queued;
  queued.id = model::TaskId(task.id());
  queued.name = task.name();
  queued.role = task.role();
  queued.shape = task.amounts();
  queued.constraints = task.constraints();
  queued.payload = ToPayload(task);
  queued.kill_grace_ms = task.kill_grace_ms();
  queued.max_run_time_ms = task.max_run_time_ms();
  queued.stop_after_disconnect_ms = task.stop_after_disconnect_ms();
  return queued;
}

TaskStatus ToPublic(const model::TaskStatus& status) {
  TaskStatus out;
  out.task_id = status.task.value();
  out.state = static_cast<TaskState>(status.state);
  out.reason = static_cast<TaskReason>(status.reason);
  out.message = status.message;
  out.agent_id = status.agent.value();
  out.exit_code = status.exit_code;
  out.signal = status.signal;
  out.time_unix_ms = status.time_unix_ms;
  out.intent_id = status.intent_id;
  return out;
}

TaskStatus ToPublic(const Update& update) {
  TaskStatus out = ToPublic(update.status);
  out.final = update.final;
  out.own = update.own;
  return out;
}

CallAnswer ToPublic(const CallDone& done) {
  CallAnswer out;
  out.call = done.request;
  out.outcome = static_cast<CallAnswer::Outcome>(done.answer);
  for (const model::CallResult::Item& item : done.items) {
    out.items.push_back(
        {item.id,
         item.outcome.ok() ? std::string() : std::string(model::RefusalName(item.outcome.refusal)),
         item.outcome.message});
  }
  return out;
}

Stopped ToPublic(const Stop& stop) {
  Stopped out;
  out.cause = static_cast<StopCause>(stop.cause);
  if (stop.refusal != model::Refusal::kNone) {
    out.refusal = std::string(model::RefusalName(stop.refusal));
  }
  out.message = stop.message;
  return out;
}

}  // namespace proffer::sdk
