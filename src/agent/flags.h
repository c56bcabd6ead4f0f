// The agent's flags, read once.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/agent.h"

namespace proffer::agent {

struct ParsedFlags {
  AgentOptions options;
  std::string work_dir;
  rpc::Address health;         // Where the health service listens.
  std::string metrics;         // Where figures are served; empty: nowhere.
  std::string explain_launch;  // Not empty: only to be explained (explain_launch.h).
};

// Makes the work directory, because the machine's disk is read there. INVALID_ARGUMENT says which
// flag is wrong and what it should be.
absl::StatusOr<ParsedFlags> ReadFlags();

}  // namespace proffer::agent
