#include "cli/run_options.h"

#include <chrono>

#include "absl/strings/str_cat.h"
#include "cli/duration.h"
#include "common/base/status.h"
#include "proffer/constraints.h"
#include "proffer/quantity.h"

namespace proffer::cli {
namespace {

absl::Status SetAmount(const char* option, const char* kind, const std::string& text, Task* task) {
  const absl::StatusOr<int64_t> count = ParseScalar(kind, text);
  if (!count.ok()) return Annotate(count.status(), option);
  if (*count > 0) task->Amount(kind, *count);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Task> MakeTask(const RunOptions& options, const std::vector<std::string>& command,
                              const std::function<std::string(const char*)>& environment_of) {
  if (command.empty()) {
    return absl::InvalidArgumentError(
        "say what to run after \"--\", as in: proffer run --cpus 1 -- echo hello");
  }
  Task task(options.name);
  task.Args(command);
  RETURN_IF_ERROR(SetAmount("--cpus", kCpus, options.cpus, &task));
  RETURN_IF_ERROR(SetAmount("--mem", kMem, options.mem, &task));
  if (options.gpus > 0) task.Gpus(options.gpus);
  if (options.ports > 0) task.Ports(options.ports);
  if (options.cpu_limit != 0) task.CpuLimit(options.cpu_limit);
  if (options.pids != 0) task.PidsLimit(options.pids);
  for (const std::string& name : options.capabilities) task.Capability(name);
  if (!options.role.empty()) task.Role(options.role);
  if (!options.user.empty()) task.User(options.user);
  for (const std::string& entry : options.environment) {
    const size_t equals = entry.find('=');
    if (equals == 0 || entry.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--env ", entry, ": expected NAME=VALUE, or NAME for your own value of it"));
    }
    if (equals == std::string::npos) {
      task.Env(entry, environment_of(entry.c_str()));
    } else {
      task.Env(entry.substr(0, equals), entry.substr(equals + 1));
    }
  }
  for (const std::string& text : options.on) {
    const absl::StatusOr<Constraint> constraint = Constraint::Parse(text);
    if (!constraint.ok()) return Annotate(constraint.status(), "--on");
    task.Require(text);
  }
  if (!options.timeout.empty()) {
    absl::StatusOr<int64_t> timeout_ms = ParseDuration(options.timeout);
    if (!timeout_ms.ok()) return Annotate(timeout_ms.status(), "--timeout");
    if (*timeout_ms > 0) task.MaxRunTime(std::chrono::milliseconds(*timeout_ms));
  }
  RETURN_IF_ERROR(task.status());
  return task;
}

}  // namespace proffer::cli
