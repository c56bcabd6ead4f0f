// Environment and paths of a task; the rest is planned by the isolators.
#include "agent/launch_plan.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "isolator/pipeline.h"

namespace proffer::agent {
namespace {

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

absl::StatusOr<isolator::LaunchPlan> MakePlan(const model::LaunchTask& order,
                                              const CommandSpec& command,
                                              const isolator::UserNeed& user,
                                              const isolator::MachineFacts& facts,
                                              const PlanContext& context) {
  if (command.argv.empty() || command.argv[0].empty()) {
    return absl::InvalidArgumentError("the command is empty; argv needs at least a program");
  }
  isolator::LaunchPlan plan;
  plan.name = order.attempt.ToString();
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
  environment["PROFFER_AGENT_ID"] = context.agent.value();
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

  isolator::TaskNeeds needs;
  const Quantities accepted = order.task.resources.ToQuantities();
  needs.cpu_milli = accepted.Get(kCpus);
  needs.mem_bytes = accepted.Get(kMem);
  needs.cpu_quota_milli = command.cpu_limit_milli;
  if (needs.cpu_quota_milli == 0 && context.cpu_quota) needs.cpu_quota_milli = needs.cpu_milli;
  needs.pids = command.pids_limit > 0 ? command.pids_limit : context.pids_limit;
  needs.capabilities = command.capabilities;
  needs.rlimits = command.limits;
  needs.user = user;
  RETURN_IF_ERROR(isolator::PlanAll(needs, facts, &plan));

  plan.log_file_bytes = context.log_file_bytes;
  plan.log_files = context.log_files;
  plan.kill_grace_ms =
      order.task.kill_grace_ms > 0 ? order.task.kill_grace_ms : context.kill_grace_ms;
  plan.max_run_time_ms = order.task.max_run_time_ms;
  plan.stop_after_disconnect_ms = order.task.stop_after_disconnect_ms;
  return plan;
}

}  // namespace proffer::agent
