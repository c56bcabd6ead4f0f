// How badly a world behaves: drawn from the seed, one line a kind of fault.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/base/prng.h"

namespace proffer::sim {

enum class Fault {
  kStreamReset,
  kHalfOpen,
  kPartition,
  kOneWayPartition,
  kSwizzleClog,
  kMassPartition,
  kLatencyStorm,
  kMasterCrash,
  kMasterCrashAtStep,
  kMasterPause,
  kLeaderFlap,
  kStoreSlow,
  kStoreFails,
  kStoreSilent,
  kStoreGone,
  kRegistryWiped,
  kAgentCrash,
  kAgentCrashAtStep,
  kAgentPause,
  kAgentDiskSlow,
  kAgentDiskFails,
  kAgentPowerCut,
  kAgentReboot,
  kAgentReimaged,
  kAgentResized,
  kAgentMarkedGone,
  kLauncherDown,
  kShimKilled,
  kRunDirectoryLost,
  kLaunchFails,
  kOutOfMemory,
  kHangsOnKill,
  kFrameworkCrash,
  kFrameworkCrashAtStep,
  kFrameworkPause,
  kFrameworkTakenOver,
  kFrameworkAway,
  kUserKills,
  kClockDrift,
  kWallClockSet,
  kHoarder,
  kNeverAcknowledges,
  kRefusesAll,
  kReconnectLoop,
  kGarbage,
  kMaybe,
  kCount,
};
inline constexpr int kFaults = static_cast<int>(Fault::kCount);

absl::string_view FaultName(Fault fault);  // "stream-reset"
// False: no fault of that name.
bool ParseFault(absl::string_view name, Fault* out);

struct Weather {
  int64_t latency_min_ms = 1;
  int64_t latency_max_ms = 5;
  int64_t launch_max_ms = 5;  // From the agent's word to its launcher: machines are busy.
  int64_t disk_max_ms = 5;    // A durable write takes up to that long.
  // On average so long between two faults of the kind; 0: it does not happen. For kinds that are
  // a property of something (a task that hangs on kill): the chance in thousandths.
  std::array<int64_t, kFaults> every = {};

  int64_t Every(Fault fault) const { return every[static_cast<int>(fault)]; }
  // A random subset of the kinds that `allowed` has, each at a random rate.
  static Weather Draw(Prng* prng, const std::array<bool, kFaults>& allowed);
};

}  // namespace proffer::sim
