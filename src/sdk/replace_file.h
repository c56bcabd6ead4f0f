// Replaces a file in one durable step.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace proffer::sdk {

// Written beside, synced, renamed, directory synced: whoever reads, also after a crash, finds the
// old file or the new one. Mode 0600.
absl::Status ReplaceFile(const std::string& path, absl::string_view content);

}  // namespace proffer::sdk
