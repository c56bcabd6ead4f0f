// Tasks, offers and demand <-> proto.
#pragma once

#include "absl/status/statusor.h"
#include "common/convert/values.h"
#include "common/model/offer.h"
#include "common/model/task.h"
#include "proffer/v1/offer.pb.h"
#include "proffer/v1/task.pb.h"

namespace proffer::convert {

// Checks form only (sizes, numbers, syntax of ids); whether it fits is the master's question.
absl::StatusOr<model::TaskSpec> FromProto(const v1::TaskSpec& in);
void ToProto(const model::TaskSpec& spec, v1::TaskSpec* out);

model::TaskStatus FromProto(const v1::TaskStatus& in);
void ToProto(const model::TaskStatus& status, v1::TaskStatus* out);

absl::StatusOr<model::Offer> FromProto(const v1::Offer& in);
void ToProto(const model::Offer& offer, v1::Offer* out);

absl::StatusOr<model::Demand> FromProto(const v1::Demand& in);
void ToProto(const model::Demand& demand, v1::Demand* out);

inline model::TaskState FromProto(v1::TaskState state) {
  return EnumFrom(state, model::kTaskStateMax, model::TaskState::kUnspecified);
}
inline v1::TaskState ToProto(model::TaskState state) { return static_cast<v1::TaskState>(state); }
inline model::TaskReason FromProto(v1::TaskReason reason) {
  return EnumFrom(reason, model::kTaskReasonMax, model::TaskReason::kNone);
}
inline v1::TaskReason ToProto(model::TaskReason reason) {
  return static_cast<v1::TaskReason>(reason);
}
inline model::Refusal FromProto(v1::Refusal refusal) {
  // A refusal this build does not know is still a refusal.
  return EnumFrom(refusal, model::kRefusalMax, model::Refusal::kInvalid);
}
inline v1::Refusal ToProto(model::Refusal refusal) { return static_cast<v1::Refusal>(refusal); }

}  // namespace proffer::convert
