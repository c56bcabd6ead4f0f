// Keeping the role tree's sums and shares up to date along one path at a time.
#include "allocator/role_tree.h"

#include <algorithm>
#include <utility>

#include "allocator/share.h"
#include "glog/logging.h"

namespace proffer::allocator {

RoleTree::RoleTree() {
  RoleNode root;
  root.path = "*";
  nodes_.push_back(std::move(root));
  by_path_.emplace("*", kUnreserved);
}

RoleIndex RoleTree::Intern(absl::string_view path) {
  if (auto found = by_path_.find(path); found != by_path_.end()) return found->second;
  CHECK(!path.empty()) << "a role has a name";
  const size_t slash = path.rfind('/');
  const RoleIndex parent =
      slash == absl::string_view::npos ? kUnreserved : Intern(path.substr(0, slash));
  const RoleIndex role(static_cast<uint32_t>(nodes_.size()));
  RoleNode node;
  node.path = std::string(path);
  node.parent = parent;
  node.depth = (*this)[parent].depth + 1;
  nodes_.push_back(std::move(node));
  by_path_.emplace(std::string(path), role);

  std::vector<RoleIndex>& siblings = At(parent).children;
  const auto place =
      std::lower_bound(siblings.begin(), siblings.end(), path,
                       [this](RoleIndex a, absl::string_view b) { return At(a).path < b; });
  const auto at = static_cast<size_t>(place - siblings.begin());
  siblings.insert(place, role);
  for (size_t i = at; i < siblings.size(); ++i) At(siblings[i]).rank = static_cast<uint32_t>(i) + 1;
  return role;
}

bool RoleTree::IsSameOrBelow(RoleIndex role, RoleIndex ancestor) const {
  const uint32_t depth = (*this)[ancestor].depth;
  while ((*this)[role].depth > depth) role = (*this)[role].parent;
  return role == ancestor;
}

void RoleTree::UpdateShares(RoleIndex role) {
  RoleNode* node = &At(role);
  node->own_share = DominantShare(node->own_held, total_, scalars_);
  for (; node->parent.valid(); node = &At(node->parent)) {
    node->share = Weighted(DominantShare(node->held, total_, scalars_), node->weight_milli);
  }
}

void RoleTree::AddHeld(RoleIndex role, const Amounts& amounts) {
  At(role).own_held += amounts;
  for (RoleIndex at = role; at.valid(); at = At(at).parent) At(at).held += amounts;
  UpdateShares(role);
}

void RoleTree::SubtractHeld(RoleIndex role, const Amounts& amounts) {
  At(role).own_held -= amounts;
  for (RoleIndex at = role; at.valid(); at = At(at).parent) At(at).held -= amounts;
  UpdateShares(role);
}

void RoleTree::AddHungry(RoleIndex role, int change) {
  RoleNode& own = At(role);
  const bool was = own.own_hungry > 0;
  own.own_hungry += change;
  const bool is = own.own_hungry > 0;
  if (was != is) own.hungry_weight += is ? 1000 : -1000;
  for (RoleIndex at = role; at.valid(); at = At(at).parent) {
    RoleNode& node = At(at);
    const bool node_was = node.hungry > 0;
    node.hungry += change;
    const bool node_is = node.hungry > 0;
    if (node_was != node_is && node.parent.valid()) {
      At(node.parent).hungry_weight += node_is ? node.weight_milli : -node.weight_milli;
    }
  }
}

void RoleTree::SetWeight(RoleIndex role, int64_t weight_milli) {
  CHECK_GT(weight_milli, 0);
  CHECK(role != kUnreserved) << "the root of the role tree competes with nothing";
  RoleNode& node = At(role);
  if (node.hungry > 0) At(node.parent).hungry_weight += weight_milli - node.weight_milli;
  node.weight_milli = weight_milli;
  node.share = Weighted(DominantShare(node.held, total_, scalars_), weight_milli);
}

void RoleTree::Recompute(const Amounts& total, uint32_t scalars) {
  total_ = total;
  scalars_ = scalars;
  for (RoleNode& node : nodes_) {
    node.own_share = DominantShare(node.own_held, total_, scalars_);
    node.share = Weighted(DominantShare(node.held, total_, scalars_), node.weight_milli);
  }
}

int64_t RoleTree::FairShare(RoleIndex role) const {
  int64_t share = MulDiv(kShareUnit, 1000, (*this)[role].hungry_weight);
  for (RoleIndex at = role; (*this)[at].parent.valid(); at = (*this)[at].parent) {
    const RoleNode& node = (*this)[at];
    share = MulDiv(share, node.weight_milli, (*this)[node.parent].hungry_weight);
  }
  return share;
}

int RoleTree::Compare(RoleIndex a, RoleIndex b) const {
  if (a == b) return 0;
  // Up to the children of the lowest common ancestor; not valid stands for the ancestor's own
  // clients.
  RoleIndex from_a;
  RoleIndex from_b;
  while (a != b) {
    if ((*this)[a].depth >= (*this)[b].depth) {
      from_a = a;
      a = (*this)[a].parent;
      if (a == b) break;
    }
    if ((*this)[b].depth > (*this)[a].depth) {
      from_b = b;
      b = (*this)[b].parent;
    }
  }
  const auto key = [this, ancestor = a](RoleIndex child) {
    return child.valid() ? std::pair((*this)[child].share, (*this)[child].rank)
                         : std::pair((*this)[ancestor].own_share, 0u);
  };
  const auto key_a = key(from_a);
  const auto key_b = key(from_b);
  return key_a < key_b ? -1 : 1;
}

std::vector<RoleIndex> RoleTree::InOrder() const {
  std::vector<RoleIndex> order;
  std::vector<RoleIndex> ahead{kUnreserved};
  while (!ahead.empty()) {
    const RoleIndex role = ahead.back();
    ahead.pop_back();
    if (role != kUnreserved) order.push_back(role);
    const std::vector<RoleIndex>& children = (*this)[role].children;
    ahead.insert(ahead.end(), children.rbegin(), children.rend());
  }
  return order;
}

}  // namespace proffer::allocator
