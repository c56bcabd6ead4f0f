// The books: all tables of the allocator, and the changes that touch several of them at once.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "allocator/agents.h"
#include "allocator/allocator.h"
#include "allocator/clients.h"
#include "allocator/constraint_classes.h"
#include "allocator/kinds.h"
#include "allocator/refusals.h"
#include "allocator/role_tree.h"

namespace proffer::allocator {

struct Books {
  explicit Books(const Options& options);

  Options options;
  Kinds kinds;
  RoleTree roles;
  Agents agents;
  Clients clients;
  ConstraintClasses classes;
  Refusals refusals;
  std::vector<AgentIndex> crumbs;    // Agents whose crumbs are kept for someone; in order.
  std::vector<ClientIndex> stirred;  // Clients with a fresh want or an agent to look at again.
  uint64_t first_word;  // Where on the rows of agents a pass begins, modulo their length.
  uint64_t passes = 0;
  bool shares_stale = false;  // The total changed, or the kinds that count.
  Time now;                   // Of the last Allocate.

  // What a client holds.
  void Take(ClientIndex client, AgentIndex agent, RoleIndex bucket, const Amounts& amounts);
  void GiveBack(ClientIndex client, AgentIndex agent, RoleIndex bucket, const Amounts& amounts);
  void RefreshShares();  // If stale.

  // To be called after anything that `hungry` depends on.
  void UpdateHungry(ClientIndex client);
  void UpdateHungry(FrameworkIndex framework);
  bool IsHungry(const Client& client) const;
  bool AtCap(const Framework& framework) const;
  // Every open agent is worth a look by the client.
  void Stir(ClientIndex client);
  // The agent is worth another look by the client.
  void Stir(ClientIndex client, AgentIndex agent);
  // Gives the client its part of the framework's demands.
  void AssignWants(ClientIndex client);
  void EraseIfGone(ClientIndex client);

  // True if `a` is served before `b`. A total order.
  bool IsFairer(ClientIndex a, ClientIndex b) const;

  // The agent's crumbs are kept for another client, with a lower share than `client`.
  bool CrumbsKeptFrom(ClientIndex client, const Agent& agent, Time now) const;
  void KeepCrumbs(AgentIndex agent, ClientIndex client, Time until);
  void LetCrumbsGo(AgentIndex agent);
  void LetCrumbsGo(ClientIndex client);  // All that are kept for it.
  void LetCrumbsGo(Time now);            // All whose time is over.
  Time NextCrumbsDeadline() const;

  // A grant without demand must contain one of the minima.
  bool ContainsMinimum(const Amounts& amounts) const;

  void CheckInvariants() const;
};

}  // namespace proffer::allocator
