// The exit codes of the program: one table, the same for every verb.
#pragma once

#include "absl/status/status.h"

namespace proffer::cli {

enum ExitCode : int {
  kOk = 0,
  kUnexpected = 1,
  kUsage = 2,            // Wrong arguments, or an invalid description.
  kNotFound = 3,         // Nothing of that name.
  kConflict = 4,         // Ambiguous, or not in the state for that.
  kCannotPlace = 5,      // Still waiting for room when the time was over.
  kStoppedWatching = 7,  // The work goes on; only the watching ended.
  kNoMaster = 8,         // No master answers, or none that leads.
  kNotAllowed = 9,
  // Of `run`, whose other codes are the task's: it failed itself.
  kRunFailed = 125,
};

// REQUIRES: not OK.
int ExitCodeOf(const absl::Status& status);

}  // namespace proffer::cli
