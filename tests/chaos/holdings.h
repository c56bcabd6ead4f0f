// What a process holds of the machine, as the kernel shows it.
#pragma once

#include <sys/types.h>

#include <optional>

#include "chaos/judges/judges.h"

namespace proffer::chaos {

// Nullopt: there is no such process (any more).
std::optional<Holdings> HoldingsOf(pid_t pid);

}  // namespace proffer::chaos
