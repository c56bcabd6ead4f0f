// What a task may do to the machine beyond what its user may: nothing, unless asked for.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace proffer::isolator {

// Both are for the moment between fork and exec: system calls only, no memory of ours is touched.
// Return 0 or an errno.

// Becomes another user with these groups.
int BecomeUser(uint32_t uid, uint32_t gid, const std::vector<uint32_t>& groups);
// From now on exec gives at most these capabilities (bits by number). Before BecomeUser: they are
// kept through it. After it call RaiseCapabilities. `held`: what the bounding set is known to hold
// at most, so that nothing else needs to be dropped.
int LimitCapabilities(uint64_t keep, uint64_t held);
inline constexpr uint64_t kEveryCapability = ~uint64_t{0};
int RaiseCapabilities(uint64_t keep);
// Only these and no way to others, for a process that does not exec.
int HoldOnly(uint64_t capabilities);

}  // namespace proffer::isolator
