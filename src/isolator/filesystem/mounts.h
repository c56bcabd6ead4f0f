// What a container sees of the file system: the machine's, with some places of its own.
#pragma once

#include <string>

#include "isolator/launch_plan.h"

namespace proffer::isolator {

// Makes, once, the /dev that containers get in the directory `path`, which is mounted over: in a
// mount namespace of the caller's own. Returns why not, or "".
std::string PrepareDevices(const std::string& path);

// In a new mount namespace, as process 1 of a new pid namespace, before anything was given up:
// makes the plan's mounts, private to it. `devices` is what PrepareDevices made. Returns why not,
// or "".
std::string MakeMounts(const LaunchPlan& plan, const std::string& devices);

// The directory of the sandbox that becomes /tmp.
inline constexpr char kTmpOfSandbox[] = ".tmp";

}  // namespace proffer::isolator
