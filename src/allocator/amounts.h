// How much of each kind of resource: a flat, exact vector of integers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "common/base/limits.h"

namespace proffer::allocator {

// How much of each kind. Kinds are interned by the Allocator; the first five are fixed.
struct Amounts {
  std::array<int64_t, limits::kResourceKinds> count{};

  bool IsZero() const {
    int64_t any = 0;
    for (int64_t n : count) any |= n;
    return any == 0;
  }
  bool AnyNegative() const {
    int64_t signs = 0;
    for (int64_t n : count) signs |= n;
    return signs < 0;
  }
  // At least as much of every kind. Leaves at the first kind that is short: mostly cpus or mem.
  bool Contains(const Amounts& other) const {
    for (size_t k = 0; k < count.size(); ++k) {
      if (count[k] < other.count[k]) return false;
    }
    return true;
  }
  Amounts& operator+=(const Amounts& other) {
    for (size_t k = 0; k < count.size(); ++k) count[k] += other.count[k];
    return *this;
  }
  Amounts& operator-=(const Amounts& other) {
    for (size_t k = 0; k < count.size(); ++k) count[k] -= other.count[k];
    return *this;
  }
  friend Amounts operator+(Amounts a, const Amounts& b) { return a += b; }
  friend Amounts operator-(Amounts a, const Amounts& b) { return a -= b; }
  friend bool operator==(const Amounts&, const Amounts&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const Amounts& a) {
    return H::combine(std::move(h), a.count);
  }
};

}  // namespace proffer::allocator
