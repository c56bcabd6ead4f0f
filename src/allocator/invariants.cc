// What must be true of the books between any two calls.
#include "allocator/books.h"
#include "allocator/share.h"
#include "glog/logging.h"

namespace proffer::allocator {
namespace {

void CheckAgents(const Books& b, Amounts* held) {
  Amounts total;
  size_t crumbs = 0;
  for (uint32_t i = 0; i < b.agents.size(); ++i) {
    const AgentIndex agent(i);
    const Agent& a = b.agents[agent];
    bool open = false;
    if (a.known) {
      CHECK(!a.buckets.empty() && a.buckets[0].role == kUnreserved);
      for (size_t j = 0; j < a.buckets.size(); ++j) {
        const Bucket& bucket = a.buckets[j];
        for (size_t l = 0; l < j; ++l) CHECK(a.buckets[l].role != bucket.role);
        CHECK(bucket.total.Contains(bucket.free)) << "agent " << agent << " has more than it has";
        CHECK_EQ(bucket.in_debt, bucket.free.AnyNegative());
        total += bucket.total;
        *held += bucket.total - bucket.free;
        open = open || (a.active && !bucket.in_debt && !bucket.free.IsZero());
      }
    }
    CHECK_EQ(b.agents.open().Test(i), open) << "agent " << agent;
    if (a.crumbs_kept_for.valid()) {
      ++crumbs;
      CHECK(b.clients[a.crumbs_kept_for].hungry) << "crumbs kept for one who is not hungry";
    }
    if (!b.agents.changed().Test(i) && b.agents.open().Test(i)) {
      // Nothing is forbidden that the free amounts would allow.
      const Amounts free = b.agents.AllFree(agent);
      b.refusals.forbidden_clients(agent).ForEach([&](uint32_t c) {
        const Amounts* refused = b.refusals.Find(agent, ClientIndex(c), Time{INT64_MIN / 2});
        CHECK(refused == nullptr || refused->Contains(free))
            << "agent " << agent << " wrongly forbidden to client " << c;
      });
    }
  }
  CHECK(total == b.agents.total());
  CHECK_EQ(crumbs, b.crumbs.size());
  for (size_t i = 1; i < b.crumbs.size(); ++i) CHECK(b.crumbs[i - 1] < b.crumbs[i]);
}

void CheckClients(const Books& b, Amounts* held) {
  for (uint32_t i = 0; i < b.clients.size(); ++i) {
    const ClientIndex client(i);
    const Client& c = b.clients[client];
    CHECK_EQ(b.clients.hungry().Test(i), c.hungry);
    if (!b.clients.Exists(client)) {
      CHECK(!c.hungry && c.held.IsZero());
      continue;
    }
    CHECK(b.clients.Find(c.framework, c.role) == client);
    CHECK(c.listed || !c.held.IsZero()) << "a client of nothing";
    CHECK(!c.held.AnyNegative());
    CHECK_EQ(c.hungry, b.IsHungry(c)) << "client " << client;
    *held += c.held;
    const Framework& framework = b.clients.framework(c.framework);
    CHECK_GE(framework.outstanding, 0);
    for (const Want& want : c.wants) {
      if (want.undeclared()) continue;
      const Demand& demand = framework.demands[static_cast<size_t>(want.demand)];
      CHECK(demand.role == c.role && demand.shape == want.shape);
      CHECK_EQ(demand.count, want.unmet);
    }
    if (b.shares_stale) continue;
    CHECK_EQ(c.share, DominantShare(c.held, b.agents.total(), b.kinds.scalars()));
  }
}

void CheckRoles(const Books& b) {
  std::vector<Amounts> own(b.roles.size());
  std::vector<int32_t> hungry(b.roles.size(), 0);
  for (uint32_t i = 0; i < b.clients.size(); ++i) {
    const ClientIndex client(i);
    if (!b.clients.Exists(client)) continue;
    own[b.clients[client].role.value] += b.clients[client].held;
    hungry[b.clients[client].role.value] += b.clients[client].hungry ? 1 : 0;
  }
  for (uint32_t i = 0; i < b.roles.size(); ++i) {
    const RoleNode& node = b.roles[RoleIndex(i)];
    CHECK(node.own_held == own[i]) << node.path;
    CHECK_EQ(node.own_hungry, hungry[i]) << node.path;
    Amounts held = node.own_held;
    int32_t below = node.own_hungry;
    int64_t weight = node.own_hungry > 0 ? 1000 : 0;
    uint32_t rank = 0;
    for (RoleIndex child : node.children) {
      const RoleNode& c = b.roles[child];
      CHECK_EQ(c.parent, RoleIndex(i));
      CHECK_EQ(c.rank, ++rank);
      held += c.held;
      below += c.hungry;
      if (c.hungry > 0) weight += c.weight_milli;
    }
    CHECK(node.held == held) << node.path;
    CHECK_EQ(node.hungry, below) << node.path;
    CHECK_EQ(node.hungry_weight, weight) << node.path;
    if (b.shares_stale) continue;
    const int64_t share = DominantShare(node.held, b.agents.total(), b.kinds.scalars());
    CHECK_EQ(node.own_share, DominantShare(node.own_held, b.agents.total(), b.kinds.scalars()));
    if (node.parent.valid()) CHECK_EQ(node.share, Weighted(share, node.weight_milli));
  }
}

}  // namespace

void Books::CheckInvariants() const {
  Amounts held_of_agents;
  Amounts held_by_clients;
  CheckAgents(*this, &held_of_agents);
  CheckClients(*this, &held_by_clients);
  CHECK(held_of_agents == held_by_clients) << "free + held is not the total";
  CheckRoles(*this);
  refusals.CheckInvariants();
  classes.CheckInvariants(agents);
}

}  // namespace proffer::allocator
