#include "common/convert/agent.h"

#include <utility>

#include "common/base/limits.h"
#include "common/base/status.h"
#include "common/base/utf8.h"
#include "common/convert/task.h"

namespace proffer::convert {
namespace {

model::TaskKey KeyFrom(const std::string& framework_id, const std::string& task_id) {
  return {model::FrameworkId(framework_id), model::TaskId(task_id)};
}

absl::StatusOr<model::TaskSummary> From(const v1::TaskSummary& in) {
  model::TaskSummary out;
  out.key = KeyFrom(in.framework_id(), in.task_id());
  out.name = in.name();
  out.attempt = FromProto<model::AttemptIdTag>(in.attempt());
  out.role = in.role();
  out.state = FromProto(in.state());
  ASSIGN_OR_RETURN(out.resources, FromProto(in.resources()));
  out.intent_id = in.intent_id();
  out.unacknowledged = in.unacknowledged();
  out.reason = FromProto(in.reason());
  out.message = in.message();
  CutUtf8(limits::kMessageTextBytes, &out.message);
  return out;
}

void ToProto(const model::TaskSummary& in, v1::TaskSummary* out) {
  out->set_framework_id(in.key.framework.value());
  out->set_task_id(in.key.task.value());
  out->set_name(in.name);
  convert::ToProto(in.attempt, out->mutable_attempt());
  out->set_role(in.role);
  out->set_state(convert::ToProto(in.state));
  convert::ToProto(in.resources, out->mutable_resources());
  out->set_intent_id(in.intent_id);
  out->set_unacknowledged(in.unacknowledged);
  out->set_reason(convert::ToProto(in.reason));
  out->set_message(in.message);
}

absl::StatusOr<model::AgentHello> From(const v1::AgentHello& in) {
  model::AgentHello out;
  out.version = FromProto(in.version());
  out.cluster_id = in.cluster_id();
  out.agent = model::AgentId(in.agent_id());
  ASSIGN_OR_RETURN(out.info, FromProto(in.info()));
  out.boot_id = in.boot_id();
  out.resources_generation = in.resources_generation();
  out.highest_epoch = in.highest_epoch();
  out.tasks = in.tasks();
  return out;
}

absl::StatusOr<model::LaunchTask> From(const v1::LaunchTask& in) {
  model::LaunchTask out;
  out.framework = model::FrameworkId(in.framework_id());
  out.framework_name = in.framework_name();
  out.role = in.role();
  out.attempt = FromProto<model::AttemptIdTag>(in.attempt());
  ASSIGN_OR_RETURN(out.task, FromProto(in.task()));
  out.resources_generation = in.resources_generation();
  return out;
}

struct MessageArms {
  v1::AgentMessage* out;

  void operator()(const std::monostate&) const {}
  void operator()(const model::AgentHello& in) const {
    v1::AgentHello* arm = out->mutable_hello();
    convert::ToProto(in.version, arm->mutable_version());
    arm->set_cluster_id(in.cluster_id);
    arm->set_agent_id(in.agent.value());
    convert::ToProto(in.info, arm->mutable_info());
    arm->set_boot_id(in.boot_id);
    arm->set_resources_generation(in.resources_generation);
    arm->set_highest_epoch(in.highest_epoch);
    arm->set_tasks(in.tasks);
  }
  void operator()(const model::TaskChunk& in) const {
    v1::TaskChunk* arm = out->mutable_tasks();
    arm->set_cursor(in.cursor);
    for (const model::TaskSummary& task : in.tasks) ToProto(task, arm->add_tasks());
    arm->set_last(in.last);
  }
  void operator()(const model::AgentUpdate& in) const {
    v1::AgentUpdate* arm = out->mutable_update();
    arm->set_framework_id(in.framework.value());
    convert::ToProto(in.status, arm->mutable_status());
    arm->set_latest_state(convert::ToProto(in.latest_state));
  }
  void operator()(const model::Pong& in) const { out->mutable_pong()->set_n(in.n); }
  void operator()(const model::Goodbye& in) const { out->mutable_goodbye()->set_reason(in.reason); }
};

struct OrderArms {
  v1::AgentOrder* out;

  void operator()(const std::monostate&) const {}
  void operator()(const model::Welcome& in) const {
    v1::Welcome* arm = out->mutable_welcome();
    convert::ToProto(in.version, arm->mutable_version());
    arm->set_cluster_id(in.cluster_id);
    arm->set_epoch(in.epoch);
    arm->set_agent_id(in.agent.value());
    arm->set_ping_ms(in.ping_ms);
    arm->set_unreachable_ms(in.unreachable_ms);
  }
  void operator()(const model::SendTasks& in) const {
    out->mutable_send_tasks()->set_cursor(in.cursor);
    out->mutable_send_tasks()->set_max_bytes(in.max_bytes);
  }
  void operator()(const model::Registered&) const { out->mutable_registered(); }
  void operator()(const model::LaunchTask& in) const {
    v1::LaunchTask* arm = out->mutable_launch();
    arm->set_framework_id(in.framework.value());
    arm->set_framework_name(in.framework_name);
    arm->set_role(in.role);
    convert::ToProto(in.attempt, arm->mutable_attempt());
    convert::ToProto(in.task, arm->mutable_task());
    arm->set_resources_generation(in.resources_generation);
  }
  void operator()(const model::KillTask& in) const {
    v1::KillTask* arm = out->mutable_kill();
    arm->set_framework_id(in.key.framework.value());
    arm->set_task_id(in.key.task.value());
    convert::ToProto(in.attempt, arm->mutable_attempt());
    if (in.grace_ms) arm->set_grace_ms(*in.grace_ms);
  }
  void operator()(const model::AckUpdate& in) const {
    v1::AckUpdate* arm = out->mutable_ack();
    arm->set_framework_id(in.key.framework.value());
    arm->set_task_id(in.key.task.value());
    convert::ToProto(in.attempt, arm->mutable_attempt());
    arm->set_sequence(in.sequence);
  }
  void operator()(const model::ExpectTasks& in) const {
    v1::ExpectTasks* arm = out->mutable_expect();
    for (const model::ExpectTasks::Task& task : in.tasks) {
      v1::ExpectTasks::Task* added = arm->add_tasks();
      added->set_framework_id(task.key.framework.value());
      added->set_task_id(task.key.task.value());
      convert::ToProto(task.attempt, added->mutable_attempt());
      added->set_intent_id(task.intent_id);
    }
  }
  void operator()(const model::EndFramework& in) const {
    out->mutable_end_framework()->set_framework_id(in.framework.value());
  }
  void operator()(const model::Ping& in) const { out->mutable_ping()->set_n(in.n); }
  void operator()(const model::OpenData&) const { out->mutable_open_data(); }
  void operator()(const model::AgentError& in) const {
    out->mutable_error()->set_refusal(convert::ToProto(in.refusal));
    out->mutable_error()->set_message(in.message);
  }
};

}  // namespace

absl::StatusOr<model::AgentInfo> FromProto(const v1::AgentInfo& in) {
  model::AgentInfo out;
  out.facts.hostname = in.hostname();
  out.facts.region = in.region();
  out.facts.zone = in.zone();
  ASSIGN_OR_RETURN(out.facts.attributes, FromProto(in.attributes()));
  ASSIGN_OR_RETURN(out.resources, FromProto(in.resources()));
  return out;
}

void ToProto(const model::AgentInfo& info, v1::AgentInfo* out) {
  out->set_hostname(info.facts.hostname);
  out->set_region(info.facts.region);
  out->set_zone(info.facts.zone);
  ToProto(info.facts.attributes, out->mutable_attributes());
  ToProto(info.resources, out->mutable_resources());
}

absl::StatusOr<model::AgentMessage> FromProto(const v1::AgentMessage& in) {
  switch (in.message_case()) {
    case v1::AgentMessage::kHello: {
      ASSIGN_OR_RETURN(model::AgentHello hello, From(in.hello()));
      return model::AgentMessage(std::move(hello));
    }
    case v1::AgentMessage::kTasks: {
      model::TaskChunk out;
      out.cursor = in.tasks().cursor();
      for (const v1::TaskSummary& task : in.tasks().tasks()) {
        ASSIGN_OR_RETURN(model::TaskSummary summary, From(task));
        out.tasks.push_back(std::move(summary));
      }
      out.last = in.tasks().last();
      return model::AgentMessage(std::move(out));
    }
    case v1::AgentMessage::kUpdate:
      return model::AgentMessage(model::AgentUpdate{model::FrameworkId(in.update().framework_id()),
                                                    FromProto(in.update().status()),
                                                    FromProto(in.update().latest_state())});
    case v1::AgentMessage::kPong:
      return model::AgentMessage(model::Pong{in.pong().n()});
    case v1::AgentMessage::kGoodbye:
      return model::AgentMessage(model::Goodbye{in.goodbye().reason()});
    case v1::AgentMessage::MESSAGE_NOT_SET:
      break;
  }
  return model::AgentMessage(std::monostate{});
}

void ToProto(const model::AgentMessage& message, v1::AgentMessage* out) {
  std::visit(MessageArms{out}, message);
}

absl::StatusOr<model::AgentOrder> FromProto(const v1::AgentOrder& in) {
  switch (in.order_case()) {
    case v1::AgentOrder::kWelcome:
      return model::AgentOrder(
          model::Welcome{FromProto(in.welcome().version()), in.welcome().cluster_id(),
                         in.welcome().epoch(), model::AgentId(in.welcome().agent_id()),
                         in.welcome().ping_ms(), in.welcome().unreachable_ms()});
    case v1::AgentOrder::kSendTasks:
      return model::AgentOrder(
          model::SendTasks{in.send_tasks().cursor(), in.send_tasks().max_bytes()});
    case v1::AgentOrder::kRegistered:
      return model::AgentOrder(model::Registered{});
    case v1::AgentOrder::kLaunch: {
      ASSIGN_OR_RETURN(model::LaunchTask launch, From(in.launch()));
      return model::AgentOrder(std::move(launch));
    }
    case v1::AgentOrder::kKill: {
      model::KillTask kill;
      kill.key = KeyFrom(in.kill().framework_id(), in.kill().task_id());
      kill.attempt = FromProto<model::AttemptIdTag>(in.kill().attempt());
      if (in.kill().has_grace_ms()) kill.grace_ms = in.kill().grace_ms();
      return model::AgentOrder(std::move(kill));
    }
    case v1::AgentOrder::kAck:
      return model::AgentOrder(model::AckUpdate{
          KeyFrom(in.ack().framework_id(), in.ack().task_id()),
          FromProto<model::AttemptIdTag>(in.ack().attempt()), in.ack().sequence()});
    case v1::AgentOrder::kExpect: {
      model::ExpectTasks out;
      for (const v1::ExpectTasks::Task& task : in.expect().tasks()) {
        out.tasks.push_back({KeyFrom(task.framework_id(), task.task_id()),
                             FromProto<model::AttemptIdTag>(task.attempt()), task.intent_id()});
      }
      return model::AgentOrder(std::move(out));
    }
    case v1::AgentOrder::kEndFramework:
      return model::AgentOrder(
          model::EndFramework{model::FrameworkId(in.end_framework().framework_id())});
    case v1::AgentOrder::kPing:
      return model::AgentOrder(model::Ping{in.ping().n()});
    case v1::AgentOrder::kOpenData:
      return model::AgentOrder(model::OpenData{});
    case v1::AgentOrder::kError:
      return model::AgentOrder(
          model::AgentError{FromProto(in.error().refusal()), in.error().message()});
    case v1::AgentOrder::ORDER_NOT_SET:
      break;
  }
  return model::AgentOrder(std::monostate{});
}

void ToProto(const model::AgentOrder& order, v1::AgentOrder* out) {
  std::visit(OrderArms{out}, order);
}

}  // namespace proffer::convert
