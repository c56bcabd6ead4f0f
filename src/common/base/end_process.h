// The way out for a process that may no longer act: it has lost the lead or its store. Nothing is
// tidied up, because whatever it still did could be wrong; restart is the recovery path.
#pragma once

#include "absl/strings/string_view.h"

namespace proffer {

// Exit status of such an end: a supervisor is to start the process again.
inline constexpr int kExitRestart = 3;

// Logs `why`, a sentence in small letters ("the session has expired"), and ends the process at
// once, with all its threads and without destructors. THREAD: any.
[[noreturn]] void EndProcess(absl::string_view why, int exit_status = kExitRestart);

}  // namespace proffer
