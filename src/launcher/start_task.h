// Starts the task's program as the plan says, or says precisely why it cannot. Done by the shim,
// or by init if the container has one.
#pragma once

#include <sys/types.h>

#include <string>

#include "isolator/launch_plan.h"

namespace proffer::launcher {

// Forks and waits until the program runs, in a process group of its own, with `output` and `error`
// as its only descriptors besides an empty input. Returns its pid, or -1 and a sentence.
// `bounding`: the capabilities that exec could give at all.
pid_t StartTask(const isolator::LaunchPlan& plan, uint64_t bounding, int output, int error,
                std::string* why);

}  // namespace proffer::launcher
