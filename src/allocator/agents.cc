// Bookkeeping of what agents have free.
#include "allocator/agents.h"

#include <utility>

#include "glog/logging.h"

namespace proffer::allocator {
namespace {

Bucket* FindBucket(Agent* agent, RoleIndex role) {
  for (Bucket& bucket : agent->buckets) {
    if (bucket.role == role) return &bucket;
  }
  return nullptr;
}

Bucket& BucketOf(Agent* agent, RoleIndex role) {
  if (Bucket* bucket = FindBucket(agent, role)) return *bucket;
  agent->buckets.emplace_back();
  agent->buckets.back().role = role;
  return agent->buckets.back();
}

}  // namespace

bool Agents::Knows(AgentIndex agent) const {
  return agent.value < agents_.size() && agents_[agent.value].known;
}

void Agents::SetTotals(Agent* agent, absl::Span<const Portion> total) {
  BucketOf(agent, kUnreserved);  // The first one, always.
  for (Bucket& bucket : agent->buckets) {
    bucket.free -= bucket.total;
    total_ -= bucket.total;
    bucket.total = Amounts();
  }
  for (const Portion& portion : total) {
    CHECK(!portion.amounts.AnyNegative());
    Bucket& bucket = BucketOf(agent, portion.reserved_to);
    bucket.total += portion.amounts;
    bucket.free += portion.amounts;
    total_ += portion.amounts;
  }
  auto& buckets = agent->buckets;
  for (size_t i = buckets.size(); i-- > 1;) {
    if (buckets[i].total.IsZero() && buckets[i].free.IsZero()) buckets.erase(buckets.begin() + i);
  }
  for (Bucket& bucket : buckets) bucket.in_debt = bucket.free.AnyNegative();
}

void Agents::Add(AgentIndex agent, AgentFacts facts, absl::Span<const Portion> total) {
  CHECK(agent.valid());
  CHECK(!Knows(agent)) << "agent " << agent << " is known already";
  if (agent.value >= agents_.size()) agents_.resize(agent.value + 1);
  Agent& a = agents_[agent.value];
  a.known = true;
  a.active = true;
  a.facts = std::make_shared<const AgentFacts>(std::move(facts));
  SetTotals(&a, total);
  UpdateOpen(agent);
  MarkChanged(agent);
}

bool Agents::Update(AgentIndex agent, AgentFacts facts, absl::Span<const Portion> total) {
  CHECK(Knows(agent)) << "agent " << agent;
  Agent& a = agents_[agent.value];
  const bool news = !(*a.facts == facts);
  if (news) a.facts = std::make_shared<const AgentFacts>(std::move(facts));
  SetTotals(&a, total);
  UpdateOpen(agent);
  MarkChanged(agent);
  return news;
}

void Agents::Remove(AgentIndex agent) {
  CHECK(Knows(agent)) << "agent " << agent;
  Agent& a = agents_[agent.value];
  for (const Bucket& bucket : a.buckets) {
    CHECK(bucket.free == bucket.total) << "agent " << agent << " is removed but not free";
    total_ -= bucket.total;
  }
  a = Agent();
  open_.Clear(agent.value);
  changed_.Clear(agent.value);
}

void Agents::SetActive(AgentIndex agent, bool active) {
  CHECK(Knows(agent)) << "agent " << agent;
  agents_[agent.value].active = active;
  UpdateOpen(agent);
  if (active) MarkChanged(agent);
}

void Agents::KeepCrumbs(AgentIndex agent, ClientIndex client, Time until) {
  agents_[agent.value].crumbs_kept_for = client;
  agents_[agent.value].crumbs_kept_until = until;
}

void Agents::Take(AgentIndex agent, RoleIndex bucket, const Amounts& amounts) {
  CHECK(Knows(agent)) << "agent " << agent;
  Bucket& b = BucketOf(&agents_[agent.value], bucket);
  b.free -= amounts;
  b.in_debt = b.free.AnyNegative();
  UpdateOpen(agent);
}

void Agents::GiveBack(AgentIndex agent, RoleIndex bucket, const Amounts& amounts) {
  CHECK(Knows(agent)) << "agent " << agent;
  Bucket* b = FindBucket(&agents_[agent.value], bucket);
  CHECK(b != nullptr && b->total.Contains(b->free + amounts))
      << "released on agent " << agent << " what was not held";
  b->free += amounts;
  b->in_debt = b->free.AnyNegative();
  auto& buckets = agents_[agent.value].buckets;
  if (bucket != kUnreserved && b->total.IsZero() && b->free.IsZero()) buckets.erase(b);
  UpdateOpen(agent);
  MarkChanged(agent);
}

const Amounts& Agents::FreeFor(const Agent& agent, RoleIndex role, const RoleTree& roles,
                               bool reserved_only, Amounts* scratch) const {
  if (agent.buckets.size() == 1 && !reserved_only && !agent.buckets[0].in_debt) {
    return agent.buckets[0].free;
  }
  *scratch = Amounts();
  for (const Bucket& bucket : agent.buckets) {
    if (bucket.in_debt || (reserved_only && bucket.role == kUnreserved)) continue;
    if (roles.IsSameOrBelow(role, bucket.role)) *scratch += bucket.free;
  }
  return *scratch;
}

Amounts Agents::TotalFor(const Agent& agent, RoleIndex role, const RoleTree& roles) const {
  Amounts total;
  for (const Bucket& bucket : agent.buckets) {
    if (roles.IsSameOrBelow(role, bucket.role)) total += bucket.total;
  }
  return total;
}

Amounts Agents::AllFree(AgentIndex agent) const {
  Amounts free;
  for (const Bucket& bucket : agents_[agent.value].buckets) {
    if (!bucket.in_debt) free += bucket.free;
  }
  return free;
}

void Agents::UpdateOpen(AgentIndex agent) {
  const Agent& a = agents_[agent.value];
  bool open = false;
  for (const Bucket& bucket : a.buckets) {
    open = open || (a.active && !bucket.in_debt && !bucket.free.IsZero());
  }
  open_.Put(agent.value, open);
}

void Agents::MarkChanged(AgentIndex agent) {
  changed_.Set(agent.value);
  any_changed_ = true;
}

void Agents::TakeChanged(BitRow* changed) {
  changed->Reset();
  changed->Swap(&changed_);
  any_changed_ = false;
}

}  // namespace proffer::allocator
