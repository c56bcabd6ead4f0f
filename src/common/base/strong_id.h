// Identifiers of different things are different types, so that one cannot stand for another.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <utility>

namespace proffer {

// A textual identifier. `Tag` is any type, used only to tell ids apart.
template <typename Tag>
class StrongId {
 public:
  StrongId() = default;
  explicit StrongId(std::string value) : value_(std::move(value)) {}

  const std::string& value() const { return value_; }
  bool empty() const { return value_.empty(); }

  friend auto operator<=>(const StrongId&, const StrongId&) = default;
  friend bool operator==(const StrongId&, const StrongId&) = default;
  friend std::ostream& operator<<(std::ostream& os, const StrongId& id) { return os << id.value_; }
  template <typename H>
  friend H AbslHashValue(H h, const StrongId& id) {
    return H::combine(std::move(h), id.value_);
  }

 private:
  std::string value_;
};

// A dense index into an array of one kind of thing.
template <typename Tag>
struct StrongIndex {
  uint32_t value = UINT32_MAX;

  constexpr StrongIndex() = default;
  constexpr explicit StrongIndex(uint32_t v) : value(v) {}
  constexpr bool valid() const { return value != UINT32_MAX; }

  friend constexpr auto operator<=>(StrongIndex, StrongIndex) = default;
  friend std::ostream& operator<<(std::ostream& os, StrongIndex i) { return os << i.value; }
  template <typename H>
  friend H AbslHashValue(H h, StrongIndex i) {
    return H::combine(std::move(h), i.value);
  }
};

}  // namespace proffer

template <typename Tag>
struct std::hash<proffer::StrongId<Tag>> {
  size_t operator()(const proffer::StrongId<Tag>& id) const {
    return std::hash<std::string>()(id.value());
  }
};
