#include "cli/describe.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "cli/amounts.h"
#include "proffer/quantity.h"

namespace proffer::cli {
namespace {

// How it ended, where the state alone does not say.
const char* ReasonWords(v1::TaskReason reason) {
  switch (reason) {
    case v1::INVALID_TASK:
      return "its description is wrong";
    case v1::INVALID_OFFER:
      return "its offer was no longer valid";
    case v1::TASK_STALE_RESOURCES:
      return "the agent's resources had changed";
    case v1::AGENT_LOST_IT:
      return "the launch never arrived at the agent";
    case v1::AGENT_DISCONNECTED:
      return "the agent was not connected";
    case v1::LAUNCH_FAILED:
      return "could not be started";
    case v1::MEMORY_LIMIT:
      return "used more memory than it asked for";
    case v1::MAX_RUN_TIME:
      return "ran out of its time";
    case v1::SHIM_LOST:
      return "what watched over it died";
    case v1::AGENT_REBOOTED:
      return "the machine was rebooted";
    case v1::KILL_REQUESTED:
      return "killed on request";
    case v1::FRAMEWORK_REMOVED_TASK:
      return "its framework ended";
    case v1::DISCONNECTED_TOO_LONG:
      return "cut off from the master for too long";
    case v1::AGENT_DECLARED_GONE:
      return "its agent was declared gone";
    default:
      return "";
  }
}

std::string Print(const v1::Constraint& constraint) {
  const std::string values = absl::StrJoin(constraint.values(), ",");
  const bool no = constraint.negated();
  switch (constraint.test()) {
    case v1::Constraint::EXISTS:
      return absl::StrCat(no ? "!" : "", constraint.fact());
    case v1::Constraint::EQUALS:
      return absl::StrCat(constraint.fact(), no ? "!=" : "==", values);
    case v1::Constraint::IN:
      return absl::StrCat(constraint.fact(), no ? " not in {" : " in {", values, "}");
    case v1::Constraint::MATCHES:
      return absl::StrCat(constraint.fact(), no ? "!~=" : "~=", values);
    default:
      return absl::StrCat(constraint.fact(), " ?");
  }
}

}  // namespace

bool IsLive(const v1::TaskView& task) {
  switch (task.state()) {
    case v1::STAGING:
    case v1::STARTING:
    case v1::RUNNING:
    case v1::KILLING:
    case v1::UNREACHABLE:
      return true;
    default:
      return false;
  }
}

bool IsDetachedRun(const v1::FrameworkView& framework, const std::vector<v1::Object>& tasks) {
  if (framework.removed() || framework.ephemeral() || framework.connected()) return false;
  int own = 0;
  for (const v1::Object& object : tasks) {
    if (object.task().framework_id() != framework.framework_id()) continue;
    if (object.task().task_id() != framework.name()) return false;
    ++own;
  }
  return own > 0;
}

const char* StateWord(v1::AgentState state) {
  switch (state) {
    case v1::CONNECTED:
      return "connected";
    case v1::DISCONNECTED:
      return "disconnected";
    case v1::AGENT_UNREACHABLE_STATE:
      return "unreachable";
    case v1::AGENT_GONE_STATE:
      return "gone";
    case v1::RECOVERED:
      return "awaited";
    default:
      return "unknown";
  }
}

const char* StateWord(const v1::FrameworkView& framework) {
  if (framework.removed()) return "ended";
  return framework.connected() ? "connected" : "disconnected";
}

const char* StateWord(v1::TaskState state) {
  switch (state) {
    case v1::STAGING:
      return "STAGING";
    case v1::STARTING:
      return "STARTING";
    case v1::RUNNING:
      return "RUNNING";
    case v1::KILLING:
      return "KILLING";
    case v1::FINISHED:
      return "FINISHED";
    case v1::FAILED:
      return "FAILED";
    case v1::KILLED:
      return "KILLED";
    case v1::ERROR:
      return "ERROR";
    case v1::DROPPED:
      return "DROPPED";
    case v1::UNREACHABLE:
      return "UNREACHABLE";
    case v1::GONE:
      return "GONE";
    case v1::GONE_BY_OPERATOR:
      return "GONE_BY_OPERATOR";
    default:
      return "UNKNOWN";
  }
}

std::string StateWord(const v1::TaskView& task) {
  std::string word = StateWord(task.state());
  if (task.has_exit_code() && task.exit_code() != 0) {
    absl::StrAppend(&word, " exit ", task.exit_code());
  } else if (task.has_signal()) {
    absl::StrAppend(&word, " signal ", task.signal());
  }
  return word;
}

Table::Paint PaintOf(v1::AgentState state) {
  switch (state) {
    case v1::CONNECTED:
      return Table::Paint::kGood;
    case v1::DISCONNECTED:
    case v1::RECOVERED:
      return Table::Paint::kWarn;
    default:
      return Table::Paint::kBad;
  }
}

Table::Paint PaintOf(const v1::FrameworkView& framework) {
  if (framework.removed()) return Table::Paint::kDim;
  return framework.connected() ? Table::Paint::kGood : Table::Paint::kWarn;
}

Table::Paint PaintOf(const v1::TaskView& task) {
  switch (task.state()) {
    case v1::RUNNING:
      return Table::Paint::kGood;
    case v1::STAGING:
    case v1::STARTING:
    case v1::KILLING:
      return Table::Paint::kWarn;
    case v1::FINISHED:
    case v1::KILLED:
      return Table::Paint::kDim;
    default:
      return Table::Paint::kBad;
  }
}

std::string CpuUsed(const v1::TaskView& task, int64_t now_unix_ms) {
  if (!task.has_usage() || task.running_unix_ms() == 0) return "";
  const int64_t ran_ms = std::max<int64_t>(now_unix_ms - task.running_unix_ms(), 1);
  // Microseconds in a millisecond are thousandths of a processor.
  return absl::StrCat(HumanAmount(kCpus, task.usage().cpu_us() / ran_ms), " of ",
                      HumanAmount(kCpus, Of(SumOf(task.resources()), kCpus)));
}

std::string MemUsed(const v1::TaskView& task) {
  if (!task.has_usage()) return "";
  return absl::StrCat(HumanAmount(kMem, task.usage().memory_bytes()), " of ",
                      HumanAmount(kMem, task.usage().memory_limit_bytes()));
}

std::string SignalName(int signal) {
  const char* name = sigabbrev_np(signal);
  return name == nullptr ? "" : name;
}

std::string EndOf(const v1::TaskView& task) {
  if (IsLive(task)) return "";
  if (task.reason() == v1::LAUNCH_FAILED) return ReasonWords(task.reason());
  std::string end;
  if (task.has_signal()) {
    const std::string name = SignalName(task.signal());
    end = absl::StrCat("signal ", task.signal(), name.empty() ? "" : absl::StrCat(" (", name, ")"));
  } else if (task.has_exit_code()) {
    end = absl::StrCat("exit ", task.exit_code());
  }
  const std::string why = ReasonWords(task.reason());
  if (end.empty()) return why.empty() ? StateWord(task.state()) : why;
  return why.empty() ? end : absl::StrCat(why, ", ", end);
}

std::string Print(const v1::EpochId& id) { return absl::StrCat(id.epoch(), "-", id.n()); }

std::string PrintConstraints(const google::protobuf::RepeatedPtrField<v1::Constraint>& list) {
  std::vector<std::string> texts;
  for (const v1::Constraint& constraint : list) texts.push_back(Print(constraint));
  return absl::StrJoin(texts, " && ");
}

std::string NameOf(const v1::Object& object) {
  switch (object.object_case()) {
    case v1::Object::kAgent:
      return object.agent().hostname();
    case v1::Object::kFramework:
      return object.framework().name();
    case v1::Object::kTask:
      return object.task().task_id();
    case v1::Object::kOffer:
      return Print(object.offer().id());
    case v1::Object::kRole:
      return object.role().role();
    case v1::Object::OBJECT_NOT_SET:
      break;
  }
  return "";
}

const char* KindWord(const v1::Object& object) {
  switch (object.object_case()) {
    case v1::Object::kAgent:
      return "agent";
    case v1::Object::kFramework:
      return "framework";
    case v1::Object::kTask:
      return "task";
    case v1::Object::kOffer:
      return "offer";
    case v1::Object::kRole:
      return "role";
    case v1::Object::OBJECT_NOT_SET:
      break;
  }
  return "object";
}

std::string OneLine(const v1::Object& object) {
  const std::string head = absl::StrCat(KindWord(object), " ", NameOf(object));
  switch (object.object_case()) {
    case v1::Object::kAgent:
      return absl::StrCat(head, " (", object.agent().agent_id(), "), ",
                          StateWord(object.agent().state()));
    case v1::Object::kFramework:
      return absl::StrCat(head, " (", object.framework().framework_id(), "), ",
                          StateWord(object.framework()));
    case v1::Object::kTask: {
      const v1::TaskView& task = object.task();
      return absl::StrCat(head, " of framework ", task.framework_name(),
                          task.hostname().empty() ? "" : absl::StrCat(" on ", task.hostname()),
                          ", ", StateWord(task));
    }
    default:
      return head;
  }
}

}  // namespace proffer::cli
