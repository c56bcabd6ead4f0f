// The allocator's surface: each call checked, entered in the books, and what follows from it.
#include "allocator/allocator.h"

#include <algorithm>
#include <utility>

#include "allocator/fill.h"
#include "allocator/share.h"
#include "allocator/state.h"
#include "glog/logging.h"

namespace proffer::allocator {
namespace {

// The framework's clients in `roles`; all of them if that is empty.
template <typename F>
void ForEachClient(const Books& books, FrameworkIndex framework, absl::Span<const RoleIndex> roles,
                   F f) {
  const auto clients = books.clients.framework(framework).clients;  // `f` may erase.
  for (ClientIndex client : clients) {
    const RoleIndex role = books.clients[client].role;
    if (roles.empty() || std::find(roles.begin(), roles.end(), role) != roles.end()) f(client);
  }
}

}  // namespace

Allocator::Allocator(const Options& options) : state_(std::make_unique<State>(options)) {}
Allocator::~Allocator() = default;
Allocator::Allocator(const Allocator& other) : state_(std::make_unique<State>(*other.state_)) {}
Allocator& Allocator::operator=(const Allocator& other) {
  if (this != &other) *state_ = *other.state_;
  return *this;
}

// --- Names ---

absl::StatusOr<Amounts> Allocator::Intern(const Quantities& q) {
  return state_->books.kinds.Intern(q);
}

absl::Status Allocator::MarkItems(absl::string_view kind) {
  absl::StatusOr<bool> news = state_->books.kinds.MarkItems(kind);
  if (news.ok() && *news) state_->books.shares_stale = true;
  return news.status();
}

Quantities Allocator::ToQuantities(const Amounts& amounts) const {
  return state_->books.kinds.ToQuantities(amounts);
}

const std::string& Allocator::KindName(int kind) const { return state_->books.kinds.Name(kind); }

RoleIndex Allocator::InternRole(absl::string_view path) { return state_->books.roles.Intern(path); }

const std::string& Allocator::RoleName(RoleIndex role) const {
  return state_->books.roles[role].path;
}

void Allocator::SetWeight(RoleIndex role, int64_t weight_milli) {
  Books& b = state_->books;
  b.roles.SetWeight(role, weight_milli);
  // The bounds of grants without demand depend on weights.
  b.clients.hungry().ForEach([&](uint32_t c) {
    if (b.clients[ClientIndex(c)].wants[0].undeclared()) b.Stir(ClientIndex(c));
  });
}

// --- Agents ---

void Allocator::AddAgent(AgentIndex agent, AgentFacts facts, absl::Span<const Portion> total) {
  Books& b = state_->books;
  b.agents.Add(agent, std::move(facts), total);
  b.classes.AgentChanged(agent, *b.agents[agent].facts);
  b.shares_stale = true;
}

void Allocator::UpdateAgent(AgentIndex agent, AgentFacts facts, absl::Span<const Portion> total) {
  Books& b = state_->books;
  if (b.agents.Update(agent, std::move(facts), total)) {
    b.classes.AgentChanged(agent, *b.agents[agent].facts);
    b.refusals.ForgetAgent(agent);
  }
  b.shares_stale = true;
}

void Allocator::RemoveAgent(AgentIndex agent) {
  Books& b = state_->books;
  b.LetCrumbsGo(agent);
  b.refusals.ForgetAgent(agent);
  b.classes.AgentRemoved(agent);
  b.agents.Remove(agent);
  b.shares_stale = true;
}

void Allocator::SetAgentActive(AgentIndex agent, bool active) {
  Books& b = state_->books;
  if (!active) b.LetCrumbsGo(agent);
  b.agents.SetActive(agent, active);
}

// --- Frameworks ---

void Allocator::AddFramework(FrameworkIndex framework, absl::Span<const RoleIndex> roles) {
  state_->books.clients.AddFramework(framework);
  UpdateRoles(framework, roles);
}

void Allocator::UpdateRoles(FrameworkIndex framework, absl::Span<const RoleIndex> roles) {
  Books& b = state_->books;
  CHECK(!roles.empty()) << "framework " << framework << " has no role";
  ForEachClient(b, framework, {}, [&](ClientIndex client) {
    Client& c = b.clients[client];
    if (std::find(roles.begin(), roles.end(), c.role) != roles.end()) return;
    c.listed = false;
    c.suppressed = false;
    c.doublings = 0;
    b.refusals.ForgetClient(client);
    b.AssignWants(client);
    b.EraseIfGone(client);
  });
  for (RoleIndex role : roles) {
    ClientIndex client = b.clients.Find(framework, role);
    if (!client.valid()) client = b.clients.Add(framework, role);
    if (b.clients[client].listed) continue;
    b.clients[client].listed = true;
    b.AssignWants(client);
  }
}

void Allocator::RemoveFramework(FrameworkIndex framework) {
  Books& b = state_->books;
  ForEachClient(b, framework, {}, [&](ClientIndex client) {
    CHECK(b.clients[client].held.IsZero())
        << "framework " << framework << " is removed but holds something";
    b.clients[client].listed = false;
    b.AssignWants(client);
    b.EraseIfGone(client);
  });
  b.clients.RemoveFramework(framework);
}

void Allocator::SetFrameworkActive(FrameworkIndex framework, bool active) {
  Books& b = state_->books;
  b.clients.framework(framework).active = active;
  if (!active) {
    ForEachClient(b, framework, {}, [&](ClientIndex client) { b.refusals.ForgetClient(client); });
  }
  b.UpdateHungry(framework);
}

void Allocator::SetDemand(FrameworkIndex framework, bool declared, std::vector<Demand> demands) {
  Books& b = state_->books;
  CHECK(declared || demands.empty());
  for (const Demand& demand : demands) {
    CHECK(!demand.shape.IsZero() && !demand.shape.AnyNegative()) << "a demand for nothing";
  }
  Framework& f = b.clients.framework(framework);
  f.declared = declared;
  f.demands = std::move(demands);
  for (ClientIndex client : f.clients) b.AssignWants(client);
}

void Allocator::Suppress(FrameworkIndex framework, absl::Span<const RoleIndex> roles) {
  Books& b = state_->books;
  ForEachClient(b, framework, roles, [&](ClientIndex client) {
    b.clients[client].suppressed = true;
    b.UpdateHungry(client);
  });
}

void Allocator::Revive(FrameworkIndex framework, absl::Span<const RoleIndex> roles) {
  Books& b = state_->books;
  ForEachClient(b, framework, roles, [&](ClientIndex client) {
    b.clients[client].suppressed = false;
    const bool refused = b.refusals.AnyOf(client);
    b.refusals.ForgetClient(client);
    b.UpdateHungry(client);
    if (refused) b.Stir(client);
  });
}

// --- Holdings ---

void Allocator::Hold(FrameworkIndex framework, RoleIndex role, AgentIndex agent,
                     absl::Span<const Portion> portions) {
  Books& b = state_->books;
  ClientIndex client = b.clients.Find(framework, role);
  if (!client.valid()) client = b.clients.Add(framework, role);
  for (const Portion& portion : portions) {
    CHECK(!portion.amounts.AnyNegative());
    b.Take(client, agent, portion.reserved_to, portion.amounts);
  }
  b.EraseIfGone(client);
}

void Allocator::Release(FrameworkIndex framework, RoleIndex role, AgentIndex agent,
                        absl::Span<const Portion> portions) {
  Books& b = state_->books;
  const ClientIndex client = b.clients.Find(framework, role);
  CHECK(client.valid()) << "framework " << framework << " holds nothing in role "
                        << b.roles[role].path;
  for (const Portion& portion : portions) {
    b.GiveBack(client, agent, portion.reserved_to, portion.amounts);
  }
  b.EraseIfGone(client);
}

void Allocator::GrantClosed(FrameworkIndex framework) {
  Books& b = state_->books;
  Framework& f = b.clients.framework(framework);
  CHECK_GT(f.outstanding, 0) << "framework " << framework << " has no grant to close";
  --f.outstanding;
  b.UpdateHungry(framework);
  if (f.declared) return;
  for (ClientIndex client : f.clients) b.Stir(client);
}

void Allocator::DeclinedWhole(FrameworkIndex framework, RoleIndex role) {
  Books& b = state_->books;
  const ClientIndex client = b.clients.Find(framework, role);
  if (!client.valid()) return;
  Client& c = b.clients[client];
  c.doublings = std::min(c.doublings + 1, 20);
}

void Allocator::Accepted(FrameworkIndex framework, RoleIndex role) {
  Books& b = state_->books;
  const ClientIndex client = b.clients.Find(framework, role);
  if (client.valid()) b.clients[client].doublings = 0;
}

void Allocator::Refuse(FrameworkIndex framework, RoleIndex role, AgentIndex agent,
                       const Amounts& refused, Time until) {
  Books& b = state_->books;
  CHECK(b.agents.Knows(agent)) << "agent " << agent;
  const ClientIndex client = b.clients.Find(framework, role);
  if (!client.valid() || !b.clients[client].listed) return;
  b.refusals.Refuse(agent, client, refused, until, b.agents.AllFree(agent));
}

// --- Deciding ---

void Allocator::Allocate(Time now, std::vector<Grant>* grants) {
  state_->books.now = now;
  Fill(&state_->books, now, grants).Run();
}

Time Allocator::NextDeadline() const {
  const Books& b = state_->books;
  return std::min(b.refusals.NextDeadline(), b.NextCrumbsDeadline());
}

// --- Looking ---

absl::Span<const Demand> Allocator::demands(FrameworkIndex framework) const {
  return state_->books.clients.framework(framework).demands;
}

std::vector<RoleShare> Allocator::RoleShares() const {
  const Books& b = state_->books;
  std::vector<RoleShare> shares;
  for (RoleIndex role : b.roles.InOrder()) {
    const RoleNode& node = b.roles[role];
    RoleShare share;
    share.role = role;
    share.weight_milli = node.weight_milli;
    share.share = DominantShare(node.held, b.agents.total(), b.kinds.scalars());
    share.weighted_share = Weighted(share.share, node.weight_milli);
    share.held = node.held;
    shares.push_back(share);
  }
  return shares;
}

int64_t Allocator::ClientShare(FrameworkIndex framework, RoleIndex role) const {
  return DominantShare(Held(framework, role), state_->books.agents.total(),
                       state_->books.kinds.scalars());
}

Amounts Allocator::Free(AgentIndex agent, RoleIndex bucket) const {
  const Books& b = state_->books;
  CHECK(b.agents.Knows(agent)) << "agent " << agent;
  for (const Bucket& candidate : b.agents[agent].buckets) {
    if (candidate.role == bucket) return candidate.free;
  }
  return Amounts();
}

Amounts Allocator::Total() const { return state_->books.agents.total(); }

Amounts Allocator::Held(FrameworkIndex framework, RoleIndex role) const {
  const ClientIndex client = state_->books.clients.Find(framework, role);
  return client.valid() ? state_->books.clients[client].held : Amounts();
}

int64_t Allocator::LiveRefusals() const { return state_->books.refusals.live(); }

void Allocator::CheckInvariants() const { state_->books.CheckInvariants(); }

}  // namespace proffer::allocator
