// Value types <-> proto: ids, ranges, resources, attributes, constraints. Every conversion from
// the wire is total or a Status that says what was expected and what was found.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/model/agent_protocol.h"
#include "common/model/ids.h"
#include "common/model/version.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "proffer/constraints.h"
#include "proffer/resources.h"
#include "proffer/v1/types.pb.h"

namespace proffer::convert {

using ResourceList = google::protobuf::RepeatedPtrField<v1::Resource>;
using AttributeList = google::protobuf::RepeatedPtrField<v1::Attribute>;
using ConstraintList = google::protobuf::RepeatedPtrField<v1::Constraint>;
using TextList = google::protobuf::RepeatedPtrField<std::string>;

template <typename Tag>
model::EpochNumber<Tag> FromProto(const v1::EpochId& id) {
  return {id.epoch(), id.n()};
}
template <typename Tag>
void ToProto(const model::EpochNumber<Tag>& id, v1::EpochId* out) {
  out->set_epoch(id.epoch);
  out->set_n(id.n);
}

absl::StatusOr<Resources> FromProto(const ResourceList& list);
void ToProto(const Resources& resources, ResourceList* out);

absl::StatusOr<Attributes> FromProto(const AttributeList& list);
void ToProto(const Attributes& attributes, AttributeList* out);

absl::StatusOr<Constraints> FromProto(const ConstraintList& list);
void ToProto(const Constraints& constraints, ConstraintList* out);

model::Version FromProto(const v1::Version& version);
void ToProto(const model::Version& version, v1::Version* out);

// An enum of ours from the number of the proto's; what this build does not know becomes `unknown`.
template <typename E>
E EnumFrom(int number, int max, E unknown) {
  return number >= 0 && number <= max ? static_cast<E>(number) : unknown;
}

inline std::vector<std::string> FromProto(const TextList& list) {
  return {list.begin(), list.end()};
}
inline void ToProto(const std::vector<std::string>& texts, TextList* out) {
  for (const std::string& text : texts) *out->Add() = text;
}

}  // namespace proffer::convert
