// Changes to the allocator's tables that must happen together.
#include "allocator/books.h"

#include <algorithm>
#include <utility>

#include "allocator/share.h"
#include "common/base/prng.h"
#include "common/base/simulation.h"
#include "glog/logging.h"

namespace proffer::allocator {

Books::Books(const Options& o) : options(o), first_word(Prng(o.seed).Next()) {}

void Books::Take(ClientIndex client, AgentIndex agent, RoleIndex bucket, const Amounts& amounts) {
  Client& c = clients[client];
  agents.Take(agent, bucket, amounts);
  c.held += amounts;
  c.share = DominantShare(c.held, agents.total(), kinds.scalars());
  roles.AddHeld(c.role, amounts);
}

void Books::GiveBack(ClientIndex client, AgentIndex agent, RoleIndex bucket,
                     const Amounts& amounts) {
  Client& c = clients[client];
  CHECK(!amounts.AnyNegative() && c.held.Contains(amounts))
      << "framework " << c.framework << " releases what it does not hold";
  agents.GiveBack(agent, bucket, amounts);
  c.held -= amounts;
  c.share = DominantShare(c.held, agents.total(), kinds.scalars());
  roles.SubtractHeld(c.role, amounts);
}

void Books::RefreshShares() {
  if (!shares_stale) return;
  shares_stale = false;
  roles.Recompute(agents.total(), kinds.scalars());
  for (uint32_t c = 0; c < clients.size(); ++c) {
    Client& client = clients[ClientIndex(c)];
    client.share = DominantShare(client.held, agents.total(), kinds.scalars());
  }
}

bool Books::AtCap(const Framework& framework) const {
  if (MUTANT("cap-ignored")) return false;
  const bool at_cap =
      options.max_outstanding_grants > 0 && framework.outstanding >= options.max_outstanding_grants;
  if (at_cap) REACHED("a framework has as many offers as it may");
  return at_cap;
}

bool Books::IsHungry(const Client& client) const {
  const Framework& framework = clients.framework(client.framework);
  const bool suppressed = client.suppressed && !MUTANT("suppression-ignored");
  if (!framework.active || !client.listed || suppressed || AtCap(framework)) return false;
  return std::any_of(client.wants.begin(), client.wants.end(),
                     [](const Want& want) { return want.unmet > 0; });
}

void Books::UpdateHungry(ClientIndex client) {
  Client& c = clients[client];
  const bool hungry = IsHungry(c);
  if (hungry == c.hungry) return;
  clients.SetHungry(client, hungry);
  roles.AddHungry(c.role, hungry ? 1 : -1);
  if (hungry) {
    Stir(client);
  } else {
    c.passed_over_since = Time::Never();
    c.again.Reset();
    LetCrumbsGo(client);
  }
}

void Books::UpdateHungry(FrameworkIndex framework) {
  for (ClientIndex client : clients.framework(framework).clients) UpdateHungry(client);
}

void Books::Stir(ClientIndex client) {
  Client& c = clients[client];
  if (!c.hungry) return;
  for (Want& want : c.wants) want.fresh = true;
  stirred.push_back(client);
}

void Books::Stir(ClientIndex client, AgentIndex agent) {
  Client& c = clients[client];
  if (!c.hungry) return;  // It will look at everything once it is.
  c.again.Set(agent.value);
  stirred.push_back(client);
}

void Books::AssignWants(ClientIndex client) {
  Client& c = clients[client];
  const Framework& framework = clients.framework(c.framework);
  std::vector<Want> before = std::move(c.wants);
  c.wants.clear();
  if (c.listed && !framework.declared) c.wants.emplace_back();
  for (size_t d = 0; c.listed && d < framework.demands.size(); ++d) {
    const Demand& demand = framework.demands[d];
    if (demand.role != c.role) continue;
    Want want;
    want.demand = static_cast<int>(d);
    want.unmet = demand.count;
    want.shape = demand.shape;
    want.klass = classes.Acquire(demand.constraints, agents);
    c.wants.push_back(std::move(want));
  }
  // What was looked for before and not found need not be looked for again everywhere. Only with
  // refusals a larger count may find what a smaller one did not.
  const bool refuses = refusals.AnyOf(client);
  for (Want& want : c.wants) {
    want.fresh = !std::any_of(before.begin(), before.end(), [&](const Want& old) {
      return c.hungry && !old.fresh && old.unmet > 0 && old.undeclared() == want.undeclared() &&
             old.shape == want.shape && old.klass == want.klass &&
             (!refuses || want.unmet <= old.unmet);
    });
    if (want.fresh) stirred.push_back(client);
  }
  for (const Want& old : before) classes.Release(old.klass);
  UpdateHungry(client);
}

void Books::EraseIfGone(ClientIndex client) {
  const Client& c = clients[client];
  if (c.listed || !c.held.IsZero()) return;
  refusals.ForgetClient(client);
  clients.Erase(client);
}

bool Books::IsFairer(ClientIndex a, ClientIndex b) const {
  const Client& x = clients[a];
  const Client& y = clients[b];
  const int roles_say = roles.Compare(x.role, y.role);
  if (roles_say != 0) return roles_say < 0;
  return std::pair(x.share, x.framework) < std::pair(y.share, y.framework);
}

bool Books::CrumbsKeptFrom(ClientIndex client, const Agent& agent, Time at) const {
  const ClientIndex keeper = agent.crumbs_kept_for;
  return keeper.valid() && keeper != client && at < agent.crumbs_kept_until &&
         IsFairer(keeper, client);
}

void Books::KeepCrumbs(AgentIndex agent, ClientIndex client, Time until) {
  if (!agents[agent].crumbs_kept_for.valid()) {
    crumbs.insert(std::lower_bound(crumbs.begin(), crumbs.end(), agent), agent);
  }
  agents.KeepCrumbs(agent, client, until);
}

void Books::LetCrumbsGo(AgentIndex agent) {
  if (!agents[agent].crumbs_kept_for.valid()) return;
  crumbs.erase(std::lower_bound(crumbs.begin(), crumbs.end(), agent));
  agents.KeepCrumbs(agent, ClientIndex(), Time());
  agents.MarkChanged(agent);
}

void Books::LetCrumbsGo(ClientIndex client) {
  for (size_t i = crumbs.size(); i-- > 0;) {
    if (agents[crumbs[i]].crumbs_kept_for == client) LetCrumbsGo(crumbs[i]);
  }
}

void Books::LetCrumbsGo(Time at) {
  for (size_t i = crumbs.size(); i-- > 0;) {
    if (agents[crumbs[i]].crumbs_kept_until <= at) LetCrumbsGo(crumbs[i]);
  }
}

Time Books::NextCrumbsDeadline() const {
  Time next = Time::Never();
  for (AgentIndex agent : crumbs) next = std::min(next, agents[agent].crumbs_kept_until);
  return next;
}

bool Books::ContainsMinimum(const Amounts& amounts) const {
  if (options.minimum_allocatable.empty()) return !amounts.IsZero();
  return std::any_of(options.minimum_allocatable.begin(), options.minimum_allocatable.end(),
                     [&](const Amounts& minimum) { return amounts.Contains(minimum); });
}

}  // namespace proffer::allocator
