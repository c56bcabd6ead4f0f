// What an agent may ask for: a broken agent is not root.
#pragma once

#include <string>

#include "isolator/launch_plan.h"
#include "launcher/config.h"

namespace proffer::launcher {

// Why the plan is refused (what was expected and what was found), or "". Pure: what it says about
// paths holds for their text; the shim opens them without following links.
// `root`: the launcher may change users and make namespaces. `cgroups`: it has cgroups.
std::string CheckPlan(const isolator::LaunchPlan& plan, const Config& config, bool root,
                      bool cgroups);
// Of a container, or one component of a path.
bool IsName(const std::string& text);
// A path of names, relative.
bool IsRelativePath(const std::string& text);

}  // namespace proffer::launcher
