// Shares as integer fractions, computed in this one way everywhere.
#pragma once

#include <cstdint>
#include <limits>

#include "allocator/allocator.h"
#include "allocator/amounts.h"

namespace proffer::allocator {

// value * numerator / denominator, rounded down, exact in between; saturates at the largest
// int64. REQUIRES: nothing negative, denominator > 0.
inline int64_t MulDiv(int64_t value, int64_t numerator, int64_t denominator) {
  const auto product = static_cast<unsigned __int128>(value) * static_cast<uint64_t>(numerator);
  const unsigned __int128 quotient = product / static_cast<uint64_t>(denominator);
  constexpr auto kMost = std::numeric_limits<int64_t>::max();
  return quotient > static_cast<unsigned __int128>(kMost) ? kMost : static_cast<int64_t>(quotient);
}

// The largest over the kinds in `scalars` of held / total, in parts per kShareUnit. A kind that
// no agent has (any more) does not count.
inline int64_t DominantShare(const Amounts& held, const Amounts& total, uint32_t scalars) {
  int64_t share = 0;
  for (; scalars != 0; scalars &= scalars - 1) {
    const auto k = static_cast<size_t>(__builtin_ctz(scalars));
    if (held.count[k] <= 0 || total.count[k] <= 0) continue;
    const int64_t part = MulDiv(held.count[k], kShareUnit, total.count[k]);
    if (part > share) share = part;
  }
  return share;
}

inline int64_t Weighted(int64_t share, int64_t weight_milli) {
  return weight_milli == 1000 ? share : MulDiv(share, 1000, weight_milli);
}

}  // namespace proffer::allocator
