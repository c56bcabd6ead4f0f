// Sets of uint64 values kept as sorted, disjoint, non-adjacent closed intervals: ports, mostly.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace proffer {

struct Range {
  uint64_t first = 0;
  uint64_t last = 0;  // Included; first <= last.
  friend bool operator==(const Range&, const Range&) = default;
};

inline constexpr uint64_t kMaxRangeValue = uint64_t{1} << 62;  // So that counts fit an int64.

class Ranges {
 public:
  Ranges() = default;
  // Any order; overlaps are merged. REQUIRES: first <= last <= kMaxRangeValue in each.
  explicit Ranges(std::vector<Range> ranges);
  // The same for what comes from outside: refuses what breaks the rule above, and overlaps.
  static absl::StatusOr<Ranges> Make(std::vector<Range> ranges);

  // "[31000-32000,33000-33010]", or "[80]" for a single value. Refuses an interval that goes
  // backwards or overlaps another, and any value above kMaxRangeValue. Blanks around values are
  // ignored.
  static absl::StatusOr<Ranges> Parse(absl::string_view text);
  std::string ToString() const;  // "[]" when empty; "[80,443]" for singles.

  int64_t Count() const;
  bool empty() const { return ranges_.empty(); }
  bool Contains(const Ranges& other) const;
  bool Intersects(const Ranges& other) const;
  void Add(const Ranges& other);
  void Subtract(const Ranges& other);
  // The `count` lowest values. REQUIRES: count <= Count().
  Ranges TakeLowest(int64_t count) const;

  const std::vector<Range>& ranges() const& { return ranges_; }
  std::vector<Range> ranges() && { return std::move(ranges_); }
  friend bool operator==(const Ranges&, const Ranges&) = default;

 private:
  std::vector<Range> ranges_;
};

std::ostream& operator<<(std::ostream& os, const Ranges& r);

}  // namespace proffer
