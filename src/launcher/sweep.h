// Kills what a task left behind: everything below the shim, which is a subreaper, so whatever has
// lost its parent becomes the shim's own child.
#pragma once

namespace proffer::launcher {

// Sends SIGKILL to every child of this process. Their numbers cannot be reused: nobody else reaps
// them.
void KillChildren();

}  // namespace proffer::launcher
