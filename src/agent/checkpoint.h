// The agent's records as bytes in a store, and back.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "agent/core/records.h"
#include "common/base/store.h"

namespace proffer::agent {

// What one record changes; written as one batch or not at all.
std::vector<Mutation> ToMutations(const Record& record);

// Everything stored, in the order in which the core wants it. DATA_LOSS or FAILED_PRECONDITION
// names the record that is damaged or of an unknown type.
absl::StatusOr<std::vector<Record>> ReadRecords(Store* store);

}  // namespace proffer::agent
