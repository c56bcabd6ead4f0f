// A durable map of small records: what the registry of a master and the checkpoint of an agent
// are written to. Keys are printable paths ("agent/…"), values opaque bytes. Only the interface:
// what stands behind it lies in common/fs and common/zookeeper, which do not know each other.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace proffer {

// One change. No value: the key is deleted (deleting what is not there is fine).
struct Mutation {
  std::string key;
  std::optional<std::string> value;
  friend bool operator==(const Mutation&, const Mutation&) = default;
};

class Store {
 public:
  virtual ~Store() = default;

  // Everything that is stored, sorted by key. Any damage found is an error (DATA_LOSS): records
  // are never skipped silently.
  virtual absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ReadAll() = 0;

  // One record, nullopt when there is none. The same errors as ReadAll.
  virtual absl::StatusOr<std::optional<std::string>> Read(const std::string& key) = 0;

  // In order, and durable when it returns OK. After an error the state is unknown, but for this: a
  // prefix of the batch is there and nothing behind it, and a store on one disk has all or nothing.
  // The process must then end; recovery reads what is there. ABORTED: somebody else has taken over
  // the store, and nothing of ours will ever be written again. UNAVAILABLE: out of reach.
  virtual absl::Status Write(const std::vector<Mutation>& batch) = 0;
};

}  // namespace proffer
