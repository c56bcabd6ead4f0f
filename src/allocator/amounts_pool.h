// Amounts told once: equal ones share a number, so that millions of refusals stay small.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "allocator/amounts.h"

namespace proffer::allocator {

class AmountsPool {
 public:
  // The number of `amounts`, with one more use.
  uint32_t Acquire(const Amounts& amounts) {
    auto [found, is_new] = ids_.try_emplace(amounts, 0);
    if (is_new) {
      if (unused_.empty()) {
        found->second = static_cast<uint32_t>(slots_.size());
        slots_.emplace_back();
      } else {
        found->second = unused_.back();
        unused_.pop_back();
      }
      slots_[found->second].amounts = amounts;
    }
    ++slots_[found->second].uses;
    return found->second;
  }
  void Release(uint32_t id) {
    Slot& slot = slots_[id];
    if (--slot.uses > 0) return;
    ids_.erase(slot.amounts);
    unused_.push_back(id);
  }
  const Amounts& operator[](uint32_t id) const { return slots_[id].amounts; }
  int64_t uses(uint32_t id) const { return slots_[id].uses; }
  size_t live() const { return ids_.size(); }

 private:
  struct Slot {
    Amounts amounts;
    int64_t uses = 0;
  };
  absl::flat_hash_map<Amounts, uint32_t> ids_;  // Looked up, never walked.
  std::vector<Slot> slots_;
  std::vector<uint32_t> unused_;
};

}  // namespace proffer::allocator
