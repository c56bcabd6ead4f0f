// Finds the processes of a task whose shim died without having killed them.
#pragma once

#include "common/model/ids.h"

namespace proffer::agent {

// Kills every process that carries PROFFER_ATTEMPT=<attempt> of that agent in the environment it
// was started with. Returns how many were killed. Only for the rare loss of a shim: it reads all of
// /proc, and a process may have hidden its environment.
int KillStrays(const model::AgentId& agent, const model::AttemptId& attempt);

}  // namespace proffer::agent
