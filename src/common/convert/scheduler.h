// The scheduler stream <-> proto, both directions of both sides.
#pragma once

#include "absl/status/statusor.h"
#include "common/model/scheduler_protocol.h"
#include "proffer/v1/scheduler.pb.h"

namespace proffer::convert {

// A call that is not understood or breaks form: INVALID_ARGUMENT with the sentence for the
// client. An arm this build does not know becomes std::monostate.
absl::StatusOr<model::SchedulerCall> FromProto(const v1::SchedulerCall& in);
void ToProto(const model::SchedulerCall& call, v1::SchedulerCall* out);

absl::StatusOr<model::SchedulerEvent> FromProto(const v1::SchedulerEvent& in);
void ToProto(const model::SchedulerEvent& event, v1::SchedulerEvent* out);

model::FrameworkInfo FromProto(const v1::FrameworkInfo& in);
void ToProto(const model::FrameworkInfo& info, v1::FrameworkInfo* out);

}  // namespace proffer::convert
