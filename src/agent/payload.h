// Understands what a framework put into a task's payload.
#pragma once

#include "absl/status/statusor.h"
#include "agent/command_spec.h"
#include "common/model/task.h"

namespace proffer::agent {

// INVALID_ARGUMENT when there is no command, or it says something impossible.
absl::StatusOr<CommandSpec> DecodePayload(const model::Payload& payload);

}  // namespace proffer::agent
