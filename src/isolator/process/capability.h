// Names of Linux capabilities.
#pragma once

#include <string>

namespace proffer::isolator {

inline constexpr int kCapabilityCount = 41;

// The number of "NET_BIND_SERVICE" or "CAP_NET_BIND_SERVICE", in any case; -1 if there is none.
int CapabilityNumber(const std::string& name);
std::string CapabilityName(int number);

}  // namespace proffer::isolator
