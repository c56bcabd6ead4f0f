// The agents: what each has and has left, bucket by bucket, and which of them are worth a look.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"
#include "allocator/allocator.h"
#include "allocator/amounts.h"
#include "allocator/bit_row.h"
#include "allocator/role_tree.h"

namespace proffer::allocator {

struct ClientTag {};
using ClientIndex = StrongIndex<ClientTag>;  // A framework in one of its roles.

// On one agent, what is reserved to one role.
struct Bucket {
  RoleIndex role = kUnreserved;
  bool in_debt = false;  // Some kind is below zero: nothing is granted from here.
  Amounts total;
  Amounts free;  // total - what clients hold of it.
};

struct Agent {
  bool known = false;
  bool active = false;
  ClientIndex crumbs_kept_for;  // Not valid: for nobody.
  Time crumbs_kept_until;
  absl::InlinedVector<Bucket, 1> buckets;  // The first one is the unreserved.
  std::shared_ptr<const AgentFacts> facts;
};

class Agents {
 public:
  bool Knows(AgentIndex agent) const;
  const Agent& operator[](AgentIndex agent) const { return agents_[agent.value]; }
  size_t size() const { return agents_.size(); }  // One more than the largest index ever.
  const Amounts& total() const { return total_; }

  void Add(AgentIndex agent, AgentFacts facts, absl::Span<const Portion> total);
  // True if the facts changed.
  bool Update(AgentIndex agent, AgentFacts facts, absl::Span<const Portion> total);
  void Remove(AgentIndex agent);
  void SetActive(AgentIndex agent, bool active);
  void KeepCrumbs(AgentIndex agent, ClientIndex client, Time until);

  // A bucket that does not exist comes into being, owing what is taken from it.
  void Take(AgentIndex agent, RoleIndex bucket, const Amounts& amounts);
  // REQUIRES: taken before. The agent is worth a look again.
  void GiveBack(AgentIndex agent, RoleIndex bucket, const Amounts& amounts);

  // What the agent has free for clients of `role`; `reserved_only` leaves the unreserved out.
  // Points into the agent or to `*scratch`.
  const Amounts& FreeFor(const Agent& agent, RoleIndex role, const RoleTree& roles,
                         bool reserved_only, Amounts* scratch) const;
  // The same of what it had if nobody held anything.
  Amounts TotalFor(const Agent& agent, RoleIndex role, const RoleTree& roles) const;
  // Free in all buckets together: nobody can be granted more.
  Amounts AllFree(AgentIndex agent) const;

  // Active, and something is free.
  const BitRow& open() const { return open_; }
  // More was freed or added, or something stopped to forbid, since the last TakeChanged.
  const BitRow& changed() const { return changed_; }
  bool any_changed() const { return any_changed_; }
  void MarkChanged(AgentIndex agent);
  void TakeChanged(BitRow* changed);

 private:
  void SetTotals(Agent* agent, absl::Span<const Portion> total);
  void UpdateOpen(AgentIndex agent);

  std::vector<Agent> agents_;
  BitRow open_;
  BitRow changed_;
  bool any_changed_ = false;
  Amounts total_;
};

}  // namespace proffer::allocator
