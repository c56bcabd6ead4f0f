// A single resource: the order of kinds, the rules of the model, arithmetic of values.
#pragma once

#include <compare>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "proffer/resources.h"

namespace proffer::values {

// The canonical order: name, reservations, disk, revocable, shared. Equal for the same kind.
std::strong_ordering CompareKind(const Resource& a, const Resource& b);

// Given out whole or not at all: volumes and mounted disks.
bool IsIndivisible(const Resource& resource);
// One piece is as good as another: what Pick chooses from.
bool IsInterchangeable(const Resource& resource);

// A disk that says nothing (root, no volume) is the same as none; this makes it none.
void Normalise(Resource* resource);
// OK, or which rule of the model is broken.
absl::Status Validate(const Resource& resource);

enum class Form { kScalar, kRanges, kSet };  // In the order of ResourceValue.
Form FormOf(const ResourceValue& value);
absl::string_view FormName(Form form);
// Whether a value of that form may have that name: the predefined names have one form.
bool MayHaveForm(absl::string_view name, Form form);

// How much one item of ranges or of a set counts: 1, or 1000 where amounts are thousandths.
int64_t ItemCount(absl::string_view name);

bool IsZero(const ResourceValue& value);
// OK if `added` may be added to `value` (both of `name`): no overflow, nothing there twice.
absl::Status CanAdd(absl::string_view name, const ResourceValue& value, const ResourceValue& added);
// REQUIRE that both are of the same form, and CanAdd or Contains.
void Add(ResourceValue* value, const ResourceValue& added);
bool Contains(const ResourceValue& value, const ResourceValue& part);
void Subtract(ResourceValue* value, const ResourceValue& part);

}  // namespace proffer::values
