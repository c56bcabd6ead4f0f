// The public API's types <-> the model's.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "proffer/options.h"
#include "proffer/scheduler.h"
#include "proffer/status.h"
#include "proffer/task.h"
#include "sdk/core/config.h"
#include "sdk/core/effects.h"
#include "sdk/core/task_queue.h"

namespace proffer::sdk {

// INVALID_ARGUMENT: a name, role or duration that the master would refuse. The seed comes from the
// kernel.
absl::StatusOr<Config> ToConfig(const FrameworkOptions& options);
bool IsDurable(const FrameworkOptions& options);

model::Payload ToPayload(const Task& task);
model::TaskSpec ToSpec(const Task& task, Resources resources);
QueuedTask ToQueued(const Task& task);

TaskStatus ToPublic(const model::TaskStatus& status);
TaskStatus ToPublic(const Update& update);
CallAnswer ToPublic(const CallDone& done);
Stopped ToPublic(const Stop& stop);

}  // namespace proffer::sdk
