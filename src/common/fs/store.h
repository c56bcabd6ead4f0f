// A durable map of small records: what the registry of a master and the checkpoint of an agent
// are written to. Keys are printable paths ("agent/…"), values opaque bytes.
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

  // All or nothing, in order, and durable when it returns OK. After an error the state on disk
  // is unknown and the process must end; recovery reads what is there.
  virtual absl::Status Write(const std::vector<Mutation>& batch) = 0;
};

}  // namespace proffer
