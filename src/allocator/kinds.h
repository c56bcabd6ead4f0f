// The kinds of resource that a cluster knows: names to dense indices and back, and which of them
// count for fairness.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "allocator/amounts.h"
#include "proffer/quantity.h"

namespace proffer::allocator {

inline constexpr int kCpusKind = 0;
inline constexpr int kMemKind = 1;
inline constexpr int kDiskKind = 2;
inline constexpr int kGpusKind = 3;
inline constexpr int kPortsKind = 4;

class Kinds {
 public:
  Kinds();

  // RESOURCE_EXHAUSTED when `q` names more kinds than fit; nothing is interned then.
  absl::StatusOr<Amounts> Intern(const Quantities& q);
  // The kind counts items of ranges or sets, so that no share is worked out from it. True if
  // that is news for a kind that counted until now.
  absl::StatusOr<bool> MarkItems(absl::string_view name);
  Quantities ToQuantities(const Amounts& amounts) const;

  int size() const { return static_cast<int>(names_.size()); }
  const std::string& Name(int kind) const { return names_[static_cast<size_t>(kind)]; }
  // Bit k is set if kind k counts for shares.
  uint32_t scalars() const { return scalars_; }

 private:
  int Find(absl::string_view name) const;  // -1 when unknown.

  std::vector<std::string> names_;
  uint32_t scalars_ = 0;
};

}  // namespace proffer::allocator
