// Exact amounts of named kinds of resource.
//
// Units (design decision, everywhere the same): `cpus` and custom scalars are counted in
// thousandths, `mem` and `disk` in bytes, `gpus` in whole devices, `ports` in whole ports. The unit
// follows from the name alone: an item of a custom ranges or set resource counts 1000, so that
// "zones:2" means two, whatever the form. All arithmetic is on int64 and exact; nothing rounds.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace proffer {

inline constexpr char kCpus[] = "cpus";
inline constexpr char kMem[] = "mem";
inline constexpr char kDisk[] = "disk";
inline constexpr char kGpus[] = "gpus";
inline constexpr char kPorts[] = "ports";

// How amounts of that name are counted and written.
enum class Unit { kThousandths, kBytes, kWhole };
Unit UnitOf(absl::string_view kind);

// "1.5" or "8GiB" as a count of the unit of `kind`. Accepts at most 3 decimals; for bytes the
// suffixes B, KiB, MiB, GiB, TiB, kB, MB, GB, TB (a bare number of bytes is refused unless 0,
// because "mem:512" has meant megabytes elsewhere). Errors say what was expected and found.
// Negative and overflowing values are INVALID_ARGUMENT.
absl::StatusOr<int64_t> ParseScalar(absl::string_view kind, absl::string_view text);
// The shortest exact form: "1.5", "8GiB", "1500kB", "7B". ParseScalar of it gives the same count.
std::string PrintScalar(absl::string_view kind, int64_t count);

// A vector of amounts by kind, sorted by name, zeros left out. A value type.
class Quantities {
 public:
  Quantities() = default;
  Quantities(std::initializer_list<std::pair<const char*, int64_t>> items);

  // "cpus:1.5;mem:512MiB;ports:2": what ToString prints. Every kind at most once.
  static absl::StatusOr<Quantities> Parse(absl::string_view text);

  int64_t Get(absl::string_view kind) const;  // 0 when absent.
  // Takes a negative count as 0: whoever reads from outside refuses it before.
  void Set(absl::string_view kind, int64_t count);
  // Fails with OUT_OF_RANGE on overflow and leaves *this as it was.
  absl::Status Add(const Quantities& other);
  // Subtracts what is there: amounts never go below 0.
  void SubtractClamped(const Quantities& other);

  bool Contains(const Quantities& other) const;  // At least as much of every kind.
  bool empty() const { return items_.empty(); }
  const std::vector<std::pair<std::string, int64_t>>& items() const& { return items_; }
  // Of a temporary by value, so that a loop over it is sound.
  std::vector<std::pair<std::string, int64_t>> items() && { return std::move(items_); }

  // "cpus:1.5;mem:512MiB;ports:2" (of ranges and sets the number of items).
  std::string ToString() const;
  friend bool operator==(const Quantities&, const Quantities&) = default;

 private:
  std::vector<std::pair<std::string, int64_t>> items_;
};

std::ostream& operator<<(std::ostream& os, const Quantities& q);

}  // namespace proffer
