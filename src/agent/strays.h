// Finds the processes of tasks that have nobody to watch over them: their shim died without having
// killed them, or what told of it was lost.
#pragma once

#include <functional>
#include <set>
#include <string>

#include "common/model/ids.h"

namespace proffer::agent {

// Kills every process that was started with an environment that names a sandbox below `sandboxes`,
// that agent (empty: any) and an attempt of which `is_stray` is true. Returns the attempts of which
// some were killed. For rare occasions: it reads all of /proc, and a process may have hidden its
// environment.
std::set<model::AttemptId> KillStrays(const std::string& sandboxes, const model::AgentId& agent,
                                      const std::function<bool(const model::AttemptId&)>& is_stray);

}  // namespace proffer::agent
