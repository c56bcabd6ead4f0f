// The registry in a store: records as bytes and back, and the take-over of a store by raising the
// epoch before anything else is read.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/store.h"
#include "master/core/records.h"

namespace proffer::master {

struct TakenOver {
  std::string cluster_id;
  uint64_t epoch = 0;  // Raised and durable.
  Registry registry;
};

// Which cluster a master is to serve.
struct ClusterChoice {
  std::string id;         // Of a store that is empty.
  bool no_other = false;  // Refuse a store of another cluster; otherwise its own id counts.
};

// Reads cluster id and epoch, raises the epoch, and only then reads everything: what a former
// leader still has under way is either part of what is read or refused by the store. An empty store
// becomes that of cluster `choice.id`. DATA_LOSS names the record that is damaged, and says what a
// registry that is not whole lacks. FAILED_PRECONDITION: another cluster's, or a record of an
// unknown type. ABORTED: another master raised the epoch meanwhile.
absl::StatusOr<TakenOver> TakeOver(Store* store, const ClusterChoice& choice);

Mutation ToMutation(const Record& record);

}  // namespace proffer::master
