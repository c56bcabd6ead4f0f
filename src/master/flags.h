// The master's flags, read once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/zookeeper/address.h"
#include "master/master.h"

namespace proffer::master {

struct ParsedFlags {
  std::vector<rpc::Address> listen;
  MasterOptions options;
  // Where the registry is: in ZooKeeper, in this directory, or, when neither is named, in memory.
  std::optional<zk::Address> zookeeper;
  std::string store_directory;

  std::string metrics;  // Where figures are served; empty: nowhere.

  int64_t zk_session_timeout_ms = 0;
  std::vector<std::string> advertised;  // Where others find this master.
};

// INVALID_ARGUMENT says which flag is wrong and what it should be.
absl::StatusOr<ParsedFlags> ReadFlags();

}  // namespace proffer::master
