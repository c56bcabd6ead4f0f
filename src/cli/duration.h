// Durations as people write and read them.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace proffer::cli {

// "850ms", "45s", "3m12s", "2h05m", "3d4h": the two largest units.
std::string PrintDuration(int64_t ms);
// "0.04 s": for how long something took.
std::string PrintSeconds(int64_t ms);
// "500ms", "30s", "5m", "1h30m", "2d". A number without a unit is refused, unless it is 0.
absl::StatusOr<int64_t> ParseDuration(absl::string_view text);
// "2026-01-31 12:03:04.123" in local time.
std::string PrintTime(int64_t unix_ms);
// The time of day only.
std::string PrintTimeOfDay(int64_t unix_ms);

}  // namespace proffer::cli
