// Starts the task's program as the plan says, or says precisely why it cannot.
#pragma once

#include <sys/types.h>

#include <string>

#include "shim/wire.h"

namespace proffer::shim {

// Forks and waits until the program runs, in a process group of its own, with `output` and `error`
// as its only descriptors besides an empty input. Returns its pid, or -1 and a sentence.
pid_t Launch(const Plan& plan, int output, int error, std::string* why);

}  // namespace proffer::shim
