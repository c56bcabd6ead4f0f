// The registry in a store: records as bytes and back, and the take-over of a store by raising the
// epoch before anything else is read.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "common/fs/store.h"
#include "master/core/records.h"

namespace proffer::master {

struct TakenOver {
  std::string cluster_id;
  uint64_t epoch = 0;  // Raised and durable.
  Registry registry;
};

// Raises the epoch (a synced write) and reads everything. A store that is empty becomes that of
// cluster `new_cluster_id`. DATA_LOSS names the record that is damaged or of an unknown type.
absl::StatusOr<TakenOver> TakeOver(Store* store, const std::string& new_cluster_id);

Mutation ToMutation(const Record& record);

}  // namespace proffer::master
