// The tree of roles: what each holds, its weighted share, and who in it is hungry.
//
// The clients of a role that also has roles below it compete with these as one more child, which
// has the weight 1 and comes first among equals: the role's own clients.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "allocator/allocator.h"
#include "allocator/amounts.h"

namespace proffer::allocator {

struct RoleNode {
  std::string path;
  RoleIndex parent;  // Not valid for the root.
  uint32_t depth = 0;
  uint32_t rank = 0;  // Among its siblings by name, from 1: 0 is for the parent's own clients.
  int64_t weight_milli = 1000;
  std::vector<RoleIndex> children;  // By name.

  Amounts held;           // By it and everything below it.
  Amounts own_held;       // By its own clients.
  int64_t share = 0;      // Of `held`, weighted.
  int64_t own_share = 0;  // Of `own_held`.

  int32_t own_hungry = 0;     // Hungry clients of its own.
  int32_t hungry = 0;         // The same with everything below it.
  int64_t hungry_weight = 0;  // Sum of the weights of the children, own clients included, that
                              // have hungry clients.
};

class RoleTree {
 public:
  RoleTree();

  RoleIndex Intern(absl::string_view path);
  size_t size() const { return nodes_.size(); }
  const RoleNode& operator[](RoleIndex role) const { return nodes_[role.value]; }
  bool IsSameOrBelow(RoleIndex role, RoleIndex ancestor) const;

  void SetWeight(RoleIndex role, int64_t weight_milli);
  // Changes what the clients of `role` hold, with all shares that hang on it.
  void AddHeld(RoleIndex role, const Amounts& amounts);
  void SubtractHeld(RoleIndex role, const Amounts& amounts);
  // One client of `role` became hungry or is no longer.
  void AddHungry(RoleIndex role, int change);

  // All shares anew, because the total changed or the kinds that count.
  void Recompute(const Amounts& total, uint32_t scalars);
  // The weighted fair share of the role's own clients among the hungry, in parts per kShareUnit.
  // REQUIRES: the role has hungry clients of its own.
  int64_t FairShare(RoleIndex role) const;
  // Negative if clients of `a` come before clients of `b`; 0 only if the roles are the same.
  int Compare(RoleIndex a, RoleIndex b) const;

  // Every role but the root, parents before children, siblings by name.
  std::vector<RoleIndex> InOrder() const;

 private:
  RoleNode& At(RoleIndex role) { return nodes_[role.value]; }
  void UpdateShares(RoleIndex role);

  std::vector<RoleNode> nodes_;
  absl::flat_hash_map<std::string, RoleIndex> by_path_;
  Amounts total_;
  uint32_t scalars_ = 0;
};

}  // namespace proffer::allocator
