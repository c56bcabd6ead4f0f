// Process 1 of a container: makes the mounts, starts the task, hands signals on, reaps whatever
// loses its parent, and says how the task ended. When it ends the kernel ends all the container.
//
// It talks with the shim over one end of a SOCK_SEQPACKET pair, one message a thing said.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "isolator/launch_plan.h"
#include "launcher/shim.h"

namespace proffer::launcher {

// From the shim: go, then signals for the task's process group.
struct InitOrder {
  enum Kind : int32_t { kGo = 1, kSignal = 2 };
  int32_t kind = 0;
  int32_t signal = 0;
};
// To the shim. kStarted comes with credentials that carry the task's pid as the shim sees it;
// kFailed is followed by a text.
struct InitReport {
  enum Kind : int32_t { kStarted = 1, kFailed = 2, kExited = 3 };
  int32_t kind = 0;
  int32_t signalled = 0;
  int32_t code = 0;
};

// Makes the init of the plan's namespaces, which waits for kGo. `cgroup` is a descriptor for
// CLONE_INTO_CGROUP or -1; `output` and `error` are the task's. Returns its pid, or -1 with errno.
pid_t CloneInit(const isolator::LaunchPlan& plan, const ShimContext& context, int cgroup,
                int channel, int output, int error);

// The shim's side. Takes one message; false if there is none now. `closed`: and none will come.
bool ReceiveReport(int channel, InitReport* report, pid_t* pid, std::string* text, bool* closed);
void SendOrder(int channel, const InitOrder& order);

}  // namespace proffer::launcher
