// The master's flags, read once.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "master/master.h"

namespace proffer::master {

struct ParsedFlags {
  MasterOptions options;
  std::string store_directory;  // Empty: in memory.
};

// INVALID_ARGUMENT says which flag is wrong and what it should be.
absl::StatusOr<ParsedFlags> ReadFlags();

}  // namespace proffer::master
