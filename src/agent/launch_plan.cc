// Environment, limits and paths of a task.
#include "agent/launch_plan.h"

#include <sys/resource.h>

#include <map>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace proffer::agent {
namespace {

absl::StatusOr<int> RlimitNumber(const std::string& kind) {
  static const auto* const kNumbers = new std::map<std::string, int>{
      {"as", RLIMIT_AS},           {"core", RLIMIT_CORE},         {"cpu", RLIMIT_CPU},
      {"data", RLIMIT_DATA},       {"fsize", RLIMIT_FSIZE},       {"locks", RLIMIT_LOCKS},
      {"memlock", RLIMIT_MEMLOCK}, {"msgqueue", RLIMIT_MSGQUEUE}, {"nice", RLIMIT_NICE},
      {"nofile", RLIMIT_NOFILE},   {"nproc", RLIMIT_NPROC},       {"rss", RLIMIT_RSS},
      {"rtprio", RLIMIT_RTPRIO},   {"rttime", RLIMIT_RTTIME},     {"sigpending", RLIMIT_SIGPENDING},
      {"stack", RLIMIT_STACK}};
  auto it = kNumbers->find(kind);
  if (it == kNumbers->end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("resource limit '", kind,
                     "' is unknown; expected the part of a limit's name after "
                     "RLIMIT_ in lower case, like nofile"));
  }
  return it->second;
}

// PORT0, PORT1, ... in the order of their numbers. More than anybody wants is not told.
void AddPorts(const Resources& resources, std::map<std::string, std::string>* environment) {
  constexpr int kMostPorts = 256;
  Ranges ports;
  for (const Resource& item : resources.items()) {
    if (item.name != kPorts) continue;
    if (const auto* ranges = std::get_if<Ranges>(&item.value)) ports.Add(*ranges);
  }
  int index = 0;
  for (const Range& range : ports.ranges()) {
    for (uint64_t port = range.first; port <= range.last && index < kMostPorts; ++port) {
      (*environment)[absl::StrCat("PORT", index++)] = absl::StrCat(port);
    }
  }
}

}  // namespace

absl::StatusOr<shim::Plan> MakePlan(const LaunchContainer& launch, const CommandSpec& command,
                                    const TaskUser& user, const PlanContext& context) {
  const model::LaunchTask& order = *launch.launch;
  if (command.argv.empty() || command.argv[0].empty()) {
    return absl::InvalidArgumentError("the command is empty; argv needs at least a program");
  }
  shim::Plan plan;
  plan.run_dir = context.run_dir;
  plan.sandbox = context.sandbox;
  plan.argv = command.argv;

  std::map<std::string, std::string> environment = {
      {"PATH", kTaskPath}, {"HOME", context.sandbox}, {"LANG", "C.UTF-8"}};
  for (const auto& [name, value] : command.environment) {
    if (name.empty() || name.find('=') != std::string::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", name, "' is not a name for an environment variable"));
    }
    environment[name] = value;
  }
  // These are ours to tell, whatever the task says.
  environment["PROFFER_FRAMEWORK_ID"] = order.framework.value();
  environment["PROFFER_TASK_ID"] = order.task.id.value();
  environment["PROFFER_ATTEMPT"] = order.attempt.ToString();
  environment["PROFFER_AGENT_ID"] = launch.agent.value();
  environment["PROFFER_SANDBOX"] = context.sandbox;
  environment["HOST"] = context.host;
  AddPorts(order.task.resources, &environment);
  for (const auto& [name, value] : environment) {
    plan.environment.push_back(absl::StrCat(name, "=", value));
  }
  plan.path = environment["PATH"];

  if (command.working_directory.empty()) {
    plan.working_directory = context.sandbox;
  } else if (command.working_directory[0] == '/') {
    plan.working_directory = command.working_directory;
  } else {
    plan.working_directory = absl::StrCat(context.sandbox, "/", command.working_directory);
  }
  for (const std::string* text : {&plan.working_directory, &plan.path}) {
    if (text->find('\0') != std::string::npos) {
      return absl::InvalidArgumentError("a path of the task contains a zero byte");
    }
  }

  plan.switch_user = user.switch_needed;
  plan.user = user.name;
  plan.uid = user.uid;
  plan.gid = user.gid;
  plan.groups = user.groups;
  for (const RlimitSpec& limit : command.limits) {
    ASSIGN_OR_RETURN(const int number, RlimitNumber(limit.kind));
    if (limit.soft > limit.hard) {
      return absl::InvalidArgumentError(absl::StrCat("resource limit '", limit.kind, "': soft ",
                                                     limit.soft, " is above hard ", limit.hard));
    }
    plan.limits.push_back({number, limit.soft, limit.hard});
  }
  plan.log_file_bytes = context.log_file_bytes;
  plan.log_files = context.log_files;
  plan.kill_grace_ms =
      order.task.kill_grace_ms > 0 ? order.task.kill_grace_ms : context.kill_grace_ms;
  plan.max_run_time_ms = order.task.max_run_time_ms;
  plan.stop_after_disconnect_ms = order.task.stop_after_disconnect_ms;
  return plan;
}

}  // namespace proffer::agent
