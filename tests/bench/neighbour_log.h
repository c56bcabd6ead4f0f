// What the neighbour of neighbour_bench writes and the benchmark reads, in memory that both share.
#pragma once

#include <atomic>
#include <cstdint>

namespace proffer::bench {

struct NeighbourLog {
  static constexpr uint64_t kMost = 1'000'000;  // More than 16 minutes.

  std::atomic<uint64_t> count;
  uint32_t took_ns[kMost];
};

}  // namespace proffer::bench
