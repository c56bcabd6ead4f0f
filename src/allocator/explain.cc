// Why a demand is not met: the funnel over agents, and where the client stands.
#include <algorithm>
#include <optional>

#include "allocator/allocator.h"
#include "allocator/bound.h"
#include "allocator/share.h"
#include "allocator/state.h"
#include "glog/logging.h"

namespace proffer::allocator {
namespace {

// The kind of `shape` of which `amounts` has the smallest part; the first among equals.
size_t ScarcestKind(const Amounts& shape, const Amounts& amounts) {
  std::optional<size_t> scarcest;
  for (size_t k = 0; k < shape.count.size(); ++k) {
    if (shape.count[k] <= 0) continue;
    if (!scarcest.has_value() ||
        static_cast<__int128>(amounts.count[k]) * shape.count[*scarcest] <
            static_cast<__int128>(amounts.count[*scarcest]) * shape.count[k]) {
      scarcest = k;
    }
  }
  return scarcest.value_or(0);
}

class Explaining {
 public:
  Explaining(const Books& books, ClientIndex client, Time now)
      : b_(books), client_(client), c_(books.clients[client]), now_(now) {}

  // A null `want` stands for any grant at all.
  Explanation Explain(const Want* want, const Constraints& constraints) const {
    Explanation e;
    e.short_of.resize(static_cast<size_t>(b_.kinds.size()));
    Stand(&e);
    if (want != nullptr) e.unmet = want->unmet;
    Amounts shape = want != nullptr ? want->shape : Amounts();
    if (want == nullptr && !b_.options.minimum_allocatable.empty()) {
      shape = b_.options.minimum_allocatable[0];
    }
    const size_t scarcest = ScarcestKind(shape, b_.agents.total());
    for (uint32_t a = 0; a < b_.agents.size(); ++a) {
      const AgentIndex agent(a);
      if (!b_.agents.Knows(agent)) continue;
      ++e.agents;
      if (!b_.agents[agent].active) {
        ++e.inactive;
      } else if (!AllHold(constraints, *b_.agents[agent].facts)) {
        ++e.constraint;
      } else {
        Count(agent, want, shape, scarcest, &e);
      }
    }
    return e;
  }

 private:
  void Count(AgentIndex agent, const Want* want, const Amounts& shape, size_t scarcest,
             Explanation* e) const {
    const Agent& a = b_.agents[agent];
    Amounts scratch;
    const Amounts free = b_.agents.FreeFor(a, c_.role, b_.roles, /*reserved_only=*/false, &scratch);
    if (!e->largest_free_agent.valid() || free.count[scarcest] > e->largest_free.count[scarcest]) {
      e->largest_free_agent = agent;
      e->largest_free = free;
    }
    if (!Suffices(b_.agents.TotalFor(a, c_.role, b_.roles), want)) {
      ++e->too_small;
    } else if (!Suffices(free, want)) {
      ++e->short_of[ScarcestKind(shape, free)];
    } else if (IsRefused(agent, free, want)) {
      ++e->refused;
    } else if (b_.CrumbsKeptFrom(client_, a, now_) &&
               !Suffices(b_.agents.FreeFor(a, c_.role, b_.roles, true, &scratch), want)) {
      ++e->held_crumbs;
    } else {
      ++e->fits;
    }
  }

  bool Suffices(const Amounts& amounts, const Want* want) const {
    return want != nullptr ? amounts.Contains(want->shape) : b_.ContainsMinimum(amounts);
  }

  bool IsRefused(AgentIndex agent, const Amounts& free, const Want* want) const {
    const Amounts* refused = b_.refusals.Find(agent, client_, now_);
    if (refused == nullptr) return false;
    if (want == nullptr) {
      if (!c_.hungry || !c_.wants[0].undeclared()) return refused->Contains(free);
      return refused->Contains(BoundedGrant(b_, client_, b_.agents[agent], false));
    }
    int64_t shapes = std::max<int64_t>(want->unmet, 1);
    for (size_t k = 0; k < free.count.size(); ++k) {
      if (want->shape.count[k] > 0) {
        shapes = std::min(shapes, free.count[k] / want->shape.count[k]);
      }
    }
    Amounts most = want->shape;
    for (int64_t& count : most.count) count *= shapes;
    return refused->Contains(most);
  }

  void Stand(Explanation* e) const {
    const Framework& framework = b_.clients.framework(c_.framework);
    e->active = framework.active && c_.listed;
    e->suppressed = c_.suppressed;
    e->capped = b_.AtCap(framework);
    e->share = c_.share;
    e->role_share = b_.roles[c_.role].share;
    b_.clients.hungry().ForEach([&](uint32_t other) {
      const ClientIndex client(other);
      if (client != client_ && b_.IsFairer(client, client_)) ++e->hungrier_clients;
    });
  }

  const Books& b_;
  const ClientIndex client_;
  const Client& c_;
  const Time now_;
};

}  // namespace

// Agents came or went since the last pass: a copy with the shares as they are now.
Allocator Allocator::Refreshed() const {
  Allocator copy(*this);
  copy.state_->books.RefreshShares();
  return copy;
}

Explanation Allocator::Explain(FrameworkIndex framework, int demand, Time now) const {
  const Books& b = state_->books;
  if (b.shares_stale) return Refreshed().Explain(framework, demand, now);
  const std::vector<Demand>& demands = b.clients.framework(framework).demands;
  CHECK(demand >= 0 && static_cast<size_t>(demand) < demands.size());
  const Demand& asked = demands[static_cast<size_t>(demand)];
  const ClientIndex client = b.clients.Find(framework, asked.role);
  if (!client.valid()) {  // The framework is not in that role (any more): nobody competes.
    Explanation e;
    e.unmet = asked.count;
    return e;
  }
  Want want;
  want.demand = demand;
  want.unmet = asked.count;
  want.shape = asked.shape;
  return Explaining(b, client, now).Explain(&want, asked.constraints);
}

Explanation Allocator::ExplainRole(FrameworkIndex framework, RoleIndex role, Time now) const {
  const Books& b = state_->books;
  if (b.shares_stale) return Refreshed().ExplainRole(framework, role, now);
  const ClientIndex client = b.clients.Find(framework, role);
  if (!client.valid()) return Explanation();
  return Explaining(b, client, now).Explain(nullptr, {});
}

}  // namespace proffer::allocator
