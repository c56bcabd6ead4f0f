// Progressive filling by brute force.
#include "unit/allocator/oracle.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/prng.h"
#include "glog/logging.h"

namespace proffer::allocator {
namespace {

// "*" is the root: everything is below it.
bool IsBelowOrSame(const std::string& role, const std::string& ancestor) {
  return ancestor == "*" || role == ancestor || absl::StartsWith(role, absl::StrCat(ancestor, "/"));
}

// The child of `below` on the way to `role`; empty for `role` itself.
std::string ChildTowards(const std::string& below, const std::string& role) {
  if (role == below) return "";
  const size_t start = below == "*" ? 0 : below.size() + 1;
  return role.substr(0, role.find('/', start));
}

bool HasNegative(const Amounts& amounts) {
  return std::any_of(amounts.count.begin(), amounts.count.end(), [](int64_t n) { return n < 0; });
}

bool Listed(const std::vector<std::string>& roles, const std::string& role) {
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

}  // namespace

int64_t Oracle::Share(const Amounts& amounts) const {
  Amounts total;
  for (const auto& [index, agent] : agents) {
    for (const auto& [role, part] : agent.total) total += part;
  }
  int64_t share = 0;
  for (size_t k = 0; k < amounts.count.size(); ++k) {
    if (k == 4 || total.count[k] == 0) continue;  // Ports do not count.
    const auto part = static_cast<__int128>(amounts.count[k]) * kShareUnit / total.count[k];
    share = std::max(share, static_cast<int64_t>(part));
  }
  return share;
}

Amounts Oracle::FreeFor(const OracleAgent& agent, const std::string& role) const {
  Amounts free;
  for (const auto& [bucket, amounts] : agent.free) {
    if (!HasNegative(amounts) && IsBelowOrSame(role, bucket)) free += amounts;
  }
  return free;
}

bool Oracle::Fits(const Client& client, const OracleFramework::OracleDemand& demand, uint32_t agent,
                  Time now, const std::vector<OracleGrant>& made, int64_t* shapes) const {
  const OracleAgent& a = agents.at(agent);
  if (!a.active || !AllHold(demand.constraints, a.facts)) return false;
  const Amounts free = FreeFor(a, client.second);
  *shapes = 1;
  const auto refusal = refusals.find({client.first, client.second, agent});
  const bool granted = std::any_of(made.begin(), made.end(), [&](const OracleGrant& grant) {
    return grant.framework == client.first && grant.role == client.second && grant.agent == agent;
  });
  Amounts amounts = demand.shape;
  if (refusal != refusals.end() && now < refusal->second.second && !granted) {
    while (*shapes < demand.count && refusal->second.first.Contains(amounts)) {
      amounts += demand.shape;
      ++*shapes;
    }
    if (refusal->second.first.Contains(amounts)) return false;
  }
  return free.Contains(amounts);
}

std::vector<uint32_t> Oracle::Order() const {
  const uint64_t words = known_agents / 64 + 1;
  const uint64_t first = Prng(seed).Next() % words;
  std::vector<uint32_t> order;
  for (const auto& [index, agent] : agents) {
    if (index / 64 >= first) order.push_back(index);
  }
  for (const auto& [index, agent] : agents) {
    if (index / 64 < first) order.push_back(index);
  }
  return order;
}

bool Oracle::FindStep(const Client& client, Time now, const std::vector<OracleGrant>& made,
                      Step* step) const {
  const OracleFramework& framework = frameworks.at(client.first);
  const bool at_cap = cap > 0 && framework.outstanding >= cap;
  std::vector<uint32_t> order;
  if (at_cap) {  // Only what it has grants of, the latest first.
    for (auto grant = made.rbegin(); grant != made.rend(); ++grant) {
      if (grant->framework == client.first && grant->role == client.second) {
        order.push_back(grant->agent);
      }
    }
  } else {
    order = Order();
  }
  step->client = client;
  for (size_t d = 0; d < framework.demands.size(); ++d) {
    const auto& demand = framework.demands[d];
    if (demand.role != client.second || demand.count <= 0) continue;
    for (uint32_t agent : order) {
      if (!Fits(client, demand, agent, now, made, &step->shapes)) continue;
      step->demand = d;
      step->agent = agent;
      return true;
    }
  }
  return false;
}

const Oracle::Step* Oracle::Fairest(const std::vector<Step>& steps,
                                    const std::string& below) const {
  std::map<std::string, std::vector<const Step*>> children;
  for (const Step& step : steps) {
    if (IsBelowOrSame(step.client.second, below)) {
      children[ChildTowards(below, step.client.second)].push_back(&step);
    }
  }
  std::string best;
  int64_t best_share = INT64_MAX;
  for (const auto& [child, unused] : children) {
    Amounts sum;
    for (const auto& [client, amounts] : held) {
      if (child.empty() ? client.second == below : IsBelowOrSame(client.second, child)) {
        sum += amounts;
      }
    }
    int64_t share = Share(sum);
    if (const auto weight = weights_milli.find(child); weight != weights_milli.end()) {
      share = static_cast<int64_t>(static_cast<__int128>(share) * 1000 / weight->second);
    }
    if (share < best_share) {
      best_share = share;
      best = child;
    }
  }
  if (!best.empty()) return Fairest(steps, best);
  const Step* fairest = nullptr;
  for (const Step* step : children.at("")) {
    const auto share = [this](const Step* s) {
      const auto h = held.find(s->client);
      return h == held.end() ? 0 : Share(h->second);
    };
    if (fairest == nullptr || share(step) < share(fairest)) fairest = step;
  }
  return fairest;
}

void Oracle::Give(const Step& step, std::vector<OracleGrant>* made) {
  OracleFramework& framework = frameworks.at(step.client.first);
  auto& demand = framework.demands[step.demand];
  auto grant = std::find_if(made->begin(), made->end(), [&](const OracleGrant& g) {
    return g.framework == step.client.first && g.role == step.client.second &&
           g.agent == step.agent;
  });
  if (grant == made->end()) {
    ++framework.outstanding;
    made->push_back(OracleGrant{step.client.first, step.client.second, step.agent, {}});
    grant = made->end() - 1;
  }
  demand.count -= step.shapes;
  std::string role = step.client.second;
  Amounts left = demand.shape;
  for (int64_t& n : left.count) n *= step.shapes;
  for (;;) {
    const auto bucket = agents.at(step.agent).free.find(role);
    if (bucket != agents.at(step.agent).free.end() && !HasNegative(bucket->second)) {
      Amounts part;
      for (size_t k = 0; k < part.count.size(); ++k) {
        part.count[k] = std::min(left.count[k], bucket->second.count[k]);
      }
      left -= part;
      bucket->second -= part;
      held[step.client] += part;
      if (!part.IsZero()) grant->portions[role] += part;
    }
    if (role == "*") break;
    const size_t slash = role.rfind('/');
    role = slash == std::string::npos ? "*" : role.substr(0, slash);
  }
  CHECK(left.IsZero());
}

std::vector<OracleGrant> Oracle::Allocate(Time now) {
  std::vector<OracleGrant> made;
  std::vector<Client> hungry;
  for (const auto& [index, framework] : frameworks) {
    if (!framework.active || (cap > 0 && framework.outstanding >= cap)) continue;
    for (const std::string& role : framework.roles) {
      if (!Listed(framework.suppressed, role)) hungry.emplace_back(index, role);
    }
  }
  for (;;) {
    std::vector<Step> steps;
    for (const Client& client : hungry) {
      Step step;
      if (FindStep(client, now, made, &step)) steps.push_back(step);
    }
    if (steps.empty()) return made;
    Give(*Fairest(steps, "*"), &made);
  }
}

}  // namespace proffer::allocator
