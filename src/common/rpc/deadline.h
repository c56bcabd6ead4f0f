// gRPC's deadlines are points of the wall clock; nothing else of ours is.
#pragma once

#include <chrono>
#include <cstdint>

namespace proffer::rpc {

inline std::chrono::system_clock::time_point DeadlineIn(int64_t ms) {
  return std::chrono::system_clock::now() + std::chrono::milliseconds(ms);
}

}  // namespace proffer::rpc
