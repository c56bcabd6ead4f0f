#include "agent/payload.h"

#include "absl/strings/str_cat.h"
#include "proffer/v1/task.pb.h"

namespace proffer::agent {

absl::StatusOr<CommandSpec> DecodePayload(const model::Payload& payload) {
  v1::TaskPayload message;
  if (payload == nullptr || !message.ParseFromString(*payload)) {
    return absl::InvalidArgumentError("the task's payload cannot be read");
  }
  const v1::Command& command = message.command();
  if (command.argv().empty() || command.argv(0).empty()) {
    return absl::InvalidArgumentError(
        "the task has no command; expected argv with at least the program's name");
  }
  CommandSpec spec;
  const auto has_nul = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  for (const std::string& word : command.argv()) {
    if (has_nul(word)) return absl::InvalidArgumentError("an argument contains a zero byte");
    spec.argv.push_back(word);
  }
  for (const v1::EnvironmentVariable& variable : command.environment()) {
    if (variable.name().empty() || variable.name().find('=') != std::string::npos ||
        has_nul(variable.name()) || has_nul(variable.value())) {
      return absl::InvalidArgumentError(
          absl::StrCat("environment variable \"", variable.name(),
                       "\": the name may not be empty or contain '=', nothing a zero byte"));
    }
    spec.environment.emplace_back(variable.name(), variable.value());
  }
  spec.user = command.user();
  spec.working_directory = command.working_directory();
  for (const v1::ResourceLimit& limit : command.limits()) {
    spec.limits.push_back({limit.kind(), limit.soft(), limit.hard()});
  }
  const v1::ContainerSpec& container = message.container();
  spec.cpu_limit_milli = container.cpu_limit_milli();
  spec.pids_limit = container.pids_limit();
  spec.capabilities.assign(container.capabilities().begin(), container.capabilities().end());
  if (spec.cpu_limit_milli < 0 || spec.pids_limit < 0) {
    return absl::InvalidArgumentError("a limit of the task's container is negative");
  }
  return spec;
}

}  // namespace proffer::agent
