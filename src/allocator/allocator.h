// The allocator: who is offered how much of which agent. A library of its own; it knows neither
// protos nor clocks, threads or logs. Time is handed in; the same calls give the same grants.
//
// The words:
//
//   kind       a dense index of a resource name. At most kResourceKinds of them.
//   amounts    how much of each kind; exact integers in the units of proffer/quantity.h.
//   bucket     on one agent, what is reserved to one role; the role "*" stands for unreserved.
//   client     a framework in one of its roles. Offers, refusals, demand belong to clients.
//   holding    what a client has of an agent, whether by an offer or by a task. The allocator
//              does not tell these apart: both are gone for everybody else.
//   share      of a role or a client: its dominant share, the largest over the kinds that count
//              (scalars) of holding / total of all agents, in parts per kShareUnit, divided by
//              the weight. Dominant Resource Fairness: Ghodsi et al., NSDI 2011. Weights act at
//              every level of the role tree: a role's share counts all that is held below it.
//   hungry     a client that is active, not suppressed, below its cap of outstanding grants, and
//              (if its framework declares demand) with demand for that role left to meet.
//   eligible   of a client and an agent: the agent is active, the constraints of the demand hold,
//              no live refusal forbids it, something is free for the client's role.
//   fair       at every grant, descending the role tree from the root, the child with hungry
//              clients and the lowest share is taken, ties by name; then the client of the lowest
//              share in that role.
//
// What a grant contains. With declared demand: one shape at a time goes to the fairest client,
// until nothing fits any more (progressive filling); what one client gets of one agent in a call
// leaves as one grant. Shapes of one role are tried in order, each on the agents in order. What is
// reserved to the role or to one above it is used before the unreserved. A framework that reaches
// its cap in a call still fills the grants it got in that call.
//   Without: as much of the agent as brings the client's role to its weighted fair share among
// the hungry ones, at least the minimum allocatable and a sixteenth of the agent, and the bound
// doubles each time the client declines a grant whole (DeclinedWhole) until it is the whole
// agent; accepting resets it. The bound is on the unreserved: what is reserved for the client is
// granted in full. One grant of an agent in a call; the next comes when a grant is closed.
//
// Refusals. A client may refuse an agent until a time: a grant from it that is contained in the
// amounts refused is not made until then. More free on the agent can therefore make a larger
// grant, which is not refused: with demand, as many shapes at once as it takes.
//
// Crumbs. When the fairest hungry client has demand, and what is free on an agent it could use
// is smaller than its smallest shape, the crumbs are kept for it instead of going to a client
// with a larger share, for at most `crumb_hold_ms` from when it was first passed over (since its
// last grant). Crumbs are kept only on agents that could fit a shape when empty, on no more of
// them than the client has shapes unmet, and only of what is unreserved.
//
// Cost. An Allocate call does work for what changed since the last one: agents with something
// freed or added, clients that became hungry, refusals that ended.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "allocator/amounts.h"
#include "common/base/limits.h"
#include "common/base/strong_id.h"
#include "common/base/time.h"
#include "proffer/constraints.h"
#include "proffer/quantity.h"

namespace proffer::allocator {

struct AgentTag {};
struct FrameworkTag {};
struct RoleTag {};
using AgentIndex = StrongIndex<AgentTag>;          // Chosen by the caller; dense, reusable.
using FrameworkIndex = StrongIndex<FrameworkTag>;  // The same.
using RoleIndex = StrongIndex<RoleTag>;            // Given by Allocator::InternRole.

inline constexpr RoleIndex kUnreserved{0};  // The role "*", and the root of the role tree.
inline constexpr int64_t kShareUnit = 1'000'000'000'000;  // A share of 1.

struct Portion {
  RoleIndex reserved_to = kUnreserved;
  Amounts amounts;
  friend bool operator==(const Portion&, const Portion&) = default;
};
using Portions = absl::InlinedVector<Portion, 1>;

// One offer to be made.
struct Grant {
  FrameworkIndex framework;
  RoleIndex role;
  AgentIndex agent;
  Portions portions;
};

// What a framework says it wants: `count` times `shape` for `role`, on agents where all
// constraints hold. Several for one role are met in order.
struct Demand {
  RoleIndex role;
  Amounts shape;  // Not zero.
  int64_t count = 0;
  Constraints constraints;
  std::string label;  // For explanations only.
};

struct Options {
  uint64_t seed = 0;  // Where on the list of agents a pass begins.
  // A grant without declared demand must contain one of these; empty: anything not zero.
  std::vector<Amounts> minimum_allocatable;
  int64_t crumb_hold_ms = limits::kCrumbHoldMs;
  int max_outstanding_grants = 50;  // Per framework; <= 0: no cap.
};

// Why a demand is not met, as a funnel over agents: each agent counts at the first step it fails.
struct Explanation {
  int64_t agents = 0;             // All that are known.
  int64_t inactive = 0;           // Disconnected, draining or deactivated.
  int64_t constraint = 0;         // A constraint does not hold.
  int64_t too_small = 0;          // Could not fit the shape even if it were empty.
  std::vector<int64_t> short_of;  // Index is the kind: not enough of it is free now. An agent
                                  // short of several counts for the one it lacks most.
  int64_t refused = 0;            // Would fit, but a live refusal of this client forbids it.
  int64_t held_crumbs = 0;        // Would fit, but is kept for a client with a lower share.
  int64_t fits = 0;               // Fits now; the next Allocate call would grant it.
  // The largest free block on an agent that passed the constraints, by the shape's scarcest kind.
  AgentIndex largest_free_agent;
  Amounts largest_free;
  // How the client stands.
  bool active = false;
  bool suppressed = false;
  bool capped = false;           // Too many outstanding grants.
  int64_t unmet = 0;             // Shapes of this demand still to be granted.
  int64_t share = 0;             // Of the client, weighted, in parts per kShareUnit.
  int64_t role_share = 0;        // Of its role.
  int64_t hungrier_clients = 0;  // Hungry clients that would be served before it.
};

struct RoleShare {
  RoleIndex role;
  int64_t weight_milli = 1000;
  int64_t share = 0;           // Dominant, not weighted.
  int64_t weighted_share = 0;  // share * 1000 / weight_milli.
  Amounts held;                // By it and everything below it.
};

// THREAD: none of its own; one caller at a time. Copyable, so that an explanation can be worked
// out on a copy while the original goes on.
class Allocator {
 public:
  explicit Allocator(const Options& options);
  ~Allocator();
  Allocator(const Allocator& other);
  Allocator& operator=(const Allocator& other);

  // --- Names ---
  // RESOURCE_EXHAUSTED when `q` names more kinds than fit; nothing is interned then.
  absl::StatusOr<Amounts> Intern(const Quantities& q);
  // The kind counts items (ranges, sets), so that it takes no part in shares. `ports` is known to.
  // RESOURCE_EXHAUSTED when the name is new and there are too many already.
  absl::Status MarkItems(absl::string_view kind);
  // REQUIRES: nothing negative.
  Quantities ToQuantities(const Amounts& amounts) const;
  const std::string& KindName(int kind) const;
  // REQUIRES: a valid role name. Ancestors are interned too. "*" gives kUnreserved.
  RoleIndex InternRole(absl::string_view path);
  const std::string& RoleName(RoleIndex role) const;
  // REQUIRES: weight_milli > 0.
  // The root competes with nothing and takes no weight.
  void SetWeight(RoleIndex role, int64_t weight_milli);

  // --- Agents ---
  // REQUIRES: not known yet. Active at once.
  void AddAgent(AgentIndex agent, AgentFacts facts, absl::Span<const Portion> total);
  // New totals or facts. What is held stays held, so that free may become negative until
  // enough is released; nothing is granted from a negative bucket. Voids its refusals if the
  // facts changed.
  void UpdateAgent(AgentIndex agent, AgentFacts facts, absl::Span<const Portion> total);
  // Everything held of it must have been released before.
  void RemoveAgent(AgentIndex agent);
  void SetAgentActive(AgentIndex agent, bool active);

  // --- Frameworks ---
  // REQUIRES: not known yet, at least one role. Active at once, no demand declared.
  void AddFramework(FrameworkIndex framework, absl::Span<const RoleIndex> roles);
  // Roles may be added and dropped; what is held under a dropped role stays accounted to it.
  void UpdateRoles(FrameworkIndex framework, absl::Span<const RoleIndex> roles);
  // Everything it held must have been released before.
  void RemoveFramework(FrameworkIndex framework);
  // Inactive (disconnected): gets nothing; its refusals are forgotten.
  void SetFrameworkActive(FrameworkIndex framework, bool active);
  // Replaces all demand. `declared` false (and no demands) means "did not say". Demand counts
  // down with each shape granted; the framework declares again to correct it.
  void SetDemand(FrameworkIndex framework, bool declared, std::vector<Demand> demands);
  // An empty list of roles means all.
  void Suppress(FrameworkIndex framework, absl::Span<const RoleIndex> roles);
  // Un-suppresses and voids the refusals of these roles.
  void Revive(FrameworkIndex framework, absl::Span<const RoleIndex> roles);

  // --- Holdings ---
  // What was not granted by Allocate but found to be held: tasks of an agent that came back.
  void Hold(FrameworkIndex framework, RoleIndex role, AgentIndex agent,
            absl::Span<const Portion> portions);
  // Back to free: declined, rescinded, ended. REQUIRES: held.
  void Release(FrameworkIndex framework, RoleIndex role, AgentIndex agent,
               absl::Span<const Portion> portions);
  // An outstanding grant was answered, rescinded or timed out; makes room under the cap.
  void GrantClosed(FrameworkIndex framework);
  // The client declined a grant whole: the next one may be twice as large.
  void DeclinedWhole(FrameworkIndex framework, RoleIndex role);
  // The client used some of a grant: the bound for grants without demand starts anew.
  void Accepted(FrameworkIndex framework, RoleIndex role);
  // See "Refusals" above. Refusing again replaces the former refusal.
  void Refuse(FrameworkIndex framework, RoleIndex role, AgentIndex agent, const Amounts& refused,
              Time until);  // More than 24 days from the last Allocate count as 24 days.

  // --- Deciding ---
  // Appends grants, already held by their clients. Never grants more than is free.
  void Allocate(Time now, std::vector<Grant>* grants);
  // When Allocate should be called although nothing happened: a refusal or a hold on crumbs ends.
  // May be earlier than that (a refusal was replaced or voided), never later.
  Time NextDeadline() const;

  // --- Looking ---
  // REQUIRES: `demand` is an index into the framework's demands.
  Explanation Explain(FrameworkIndex framework, int demand, Time now) const;
  // Without declared demand: why the client (framework, role) gets no offers.
  Explanation ExplainRole(FrameworkIndex framework, RoleIndex role, Time now) const;
  absl::Span<const Demand> demands(FrameworkIndex framework) const;
  std::vector<RoleShare> RoleShares() const;  // In tree order, the root left out.
  int64_t ClientShare(FrameworkIndex framework, RoleIndex role) const;  // Weighted by nothing.
  Amounts Free(AgentIndex agent, RoleIndex bucket) const;
  Amounts Total() const;  // Of all agents.
  Amounts Held(FrameworkIndex framework, RoleIndex role) const;
  int64_t LiveRefusals() const;
  // CHECKs every invariant: free + held = total per agent and bucket, shares and sums add up.
  void CheckInvariants() const;

 private:
  class State;
  Allocator Refreshed() const;

  std::unique_ptr<State> state_;
};

}  // namespace proffer::allocator
