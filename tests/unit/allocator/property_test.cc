// Random lives of an allocator: invariants after each call, grants as the oracle says.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "allocator/allocator.h"
#include "common/base/prng.h"
#include "unit/allocator/oracle.h"

namespace proffer::allocator {
namespace {

const char* const kRoles[] = {"*", "a", "b", "eng", "eng/dev", "eng/prod", "eng/prod/x", "eng-2"};

struct Config {
  uint64_t seed = 0;
  int steps = 400;
  int64_t crumb_hold_ms = 0;
  int cap = 0;
  bool all_declare = true;
  uint32_t agents = 6;
  uint32_t frameworks = 6;
};

// An allocator, the oracle beside it, and who holds what.
class World {
 public:
  explicit World(const Config& config)
      : config_(config), prng_(config.seed), allocator_(OptionsOf(config)) {
    oracle_.cap = config.cap;
    oracle_.seed = config.seed;
    for (const char* role : kRoles) roles_.push_back(allocator_.InternRole(role));
  }

  void Run() {
    for (int i = 0; i < config_.steps; ++i) {
      for (uint64_t n = prng_.Below(4); n > 0; --n) Change();
      if (::testing::Test::HasFatalFailure()) return;
      Allocate();
      if (::testing::Test::HasFatalFailure()) {
        ADD_FAILURE() << "seed " << config_.seed << ", step " << i;
        return;
      }
    }
  }

  int64_t grants() const { return all_grants_; }

 private:
  struct Holding {
    Grant grant;
    bool outstanding;
  };

  static Options OptionsOf(const Config& config) {
    Options options;
    options.seed = config.seed;
    options.crumb_hold_ms = config.crumb_hold_ms;
    options.max_outstanding_grants = config.cap;
    if (config.seed % 2 == 0) {
      Amounts minimum;
      minimum.count[0] = 500;
      options.minimum_allocatable.push_back(minimum);
    }
    return options;
  }

  std::string Role(RoleIndex role) const { return allocator_.RoleName(role); }
  RoleIndex AnyRole() { return roles_[prng_.Below(roles_.size())]; }

  std::optional<uint32_t> AnyAgent() {
    const auto index = static_cast<uint32_t>(prng_.Below(config_.agents));
    return oracle_.agents.count(index) > 0 ? std::optional(index) : std::nullopt;
  }
  std::optional<uint32_t> AnyFramework() {
    const auto index = static_cast<uint32_t>(prng_.Below(config_.frameworks));
    return oracle_.frameworks.count(index) > 0 ? std::optional(index) : std::nullopt;
  }

  std::vector<Portion> SomeTotal() {
    std::vector<Portion> portions(1);
    portions[0].amounts.count[0] = prng_.Between(0, 12) * 1000;
    portions[0].amounts.count[1] = prng_.Between(1, 16) << 30;
    portions[0].amounts.count[4] = prng_.Between(0, 10);
    for (RoleIndex role : roles_) {
      if (role == kUnreserved || !prng_.Chance(1, 8)) continue;
      Portion reserved;
      reserved.reserved_to = role;
      reserved.amounts.count[0] = prng_.Between(0, 3) * 1000;
      reserved.amounts.count[2] = prng_.Between(1, 3) << 30;
      portions.push_back(reserved);
    }
    return portions;
  }

  AgentFacts SomeFacts() {
    AgentFacts facts;
    facts.hostname = "host";
    facts.zone = prng_.Chance(1, 2) ? "z1" : "z2";
    return facts;
  }

  void Change() {
    switch (prng_.Below(20)) {
      case 0:
        return AddAgent();
      case 1:
        return UpdateAgent();
      case 2:
        return prng_.Chance(1, 3) ? RemoveAgent() : Activate();
      case 3:
        return AddFramework();
      case 4:
        return prng_.Chance(1, 4) ? RemoveFramework() : UpdateRoles();
      case 5:
      case 6:
      case 12:
      case 13:
        return SetDemand();
      case 7:
        return SuppressOrRevive();
      case 8:
        return Connect();
      case 9:
        return SetWeight();
      case 10:
        return Hold();
      case 11:
        now_ = now_ + prng_.Between(0, 3000);
        return;
      default:
        return Answer();
    }
  }

  void AddAgent() {
    const auto index = static_cast<uint32_t>(prng_.Below(config_.agents));
    if (oracle_.agents.count(index) > 0) return;
    OracleAgent& agent = oracle_.agents[index];
    oracle_.known_agents = std::max(oracle_.known_agents, index + 1);
    agent.facts = SomeFacts();
    const std::vector<Portion> total = SomeTotal();
    for (const Portion& portion : total) agent.total[Role(portion.reserved_to)] = portion.amounts;
    agent.free = agent.total;
    allocator_.AddAgent(AgentIndex(index), agent.facts, total);
  }

  void UpdateAgent() {
    const auto index = AnyAgent();
    if (!index.has_value()) return;
    OracleAgent& agent = oracle_.agents[*index];
    const AgentFacts facts = prng_.Chance(1, 2) ? agent.facts : SomeFacts();
    if (!(facts == agent.facts))
      ForgetRefusals([&](const auto& key) { return std::get<2>(key) == *index; });
    agent.facts = facts;
    const std::vector<Portion> total = SomeTotal();
    for (auto& [role, amounts] : agent.total) agent.free[role] -= amounts;
    agent.total.clear();
    for (const Portion& portion : total) {
      agent.total[Role(portion.reserved_to)] = portion.amounts;
      agent.free[Role(portion.reserved_to)] += portion.amounts;
    }
    allocator_.UpdateAgent(AgentIndex(*index), facts, total);
  }

  void Activate() {
    const auto index = AnyAgent();
    if (!index.has_value()) return;
    const bool active = prng_.Chance(4, 5);
    oracle_.agents[*index].active = active;
    allocator_.SetAgentActive(AgentIndex(*index), active);
  }

  void RemoveAgent() {
    const auto index = AnyAgent();
    if (!index.has_value()) return;
    ReleaseAll([&](const Grant& grant) { return grant.agent.value == *index; });
    ForgetRefusals([&](const auto& key) { return std::get<2>(key) == *index; });
    oracle_.agents.erase(*index);
    allocator_.RemoveAgent(AgentIndex(*index));
  }

  std::vector<RoleIndex> SomeRoles() {
    std::vector<RoleIndex> roles;
    for (RoleIndex role : roles_) {
      if (prng_.Chance(1, 3)) roles.push_back(role);
    }
    if (roles.empty()) roles.push_back(AnyRole());
    return roles;
  }

  void AddFramework() {
    const auto index = static_cast<uint32_t>(prng_.Below(config_.frameworks));
    if (oracle_.frameworks.count(index) > 0) return;
    const std::vector<RoleIndex> roles = SomeRoles();
    for (RoleIndex role : roles) oracle_.frameworks[index].roles.push_back(Role(role));
    allocator_.AddFramework(FrameworkIndex(index), roles);
    if (config_.all_declare) allocator_.SetDemand(FrameworkIndex(index), true, {});
  }

  void UpdateRoles() {
    const auto index = AnyFramework();
    if (!index.has_value()) return;
    OracleFramework& framework = oracle_.frameworks[*index];
    const std::vector<RoleIndex> roles = SomeRoles();
    framework.roles.clear();
    for (RoleIndex role : roles) framework.roles.push_back(Role(role));
    const auto dropped = [&](const std::string& role) {
      return std::find(framework.roles.begin(), framework.roles.end(), role) ==
             framework.roles.end();
    };
    auto& suppressed = framework.suppressed;
    suppressed.erase(std::remove_if(suppressed.begin(), suppressed.end(), dropped),
                     suppressed.end());
    ForgetRefusals(
        [&](const auto& key) { return std::get<0>(key) == *index && dropped(std::get<1>(key)); });
    allocator_.UpdateRoles(FrameworkIndex(*index), roles);
  }

  void RemoveFramework() {
    const auto index = AnyFramework();
    if (!index.has_value()) return;
    ReleaseAll([&](const Grant& grant) { return grant.framework.value == *index; });
    ForgetRefusals([&](const auto& key) { return std::get<0>(key) == *index; });
    oracle_.frameworks.erase(*index);
    allocator_.RemoveFramework(FrameworkIndex(*index));
  }

  void SetDemand() {
    const auto index = AnyFramework();
    if (!index.has_value()) return;
    OracleFramework& framework = oracle_.frameworks[*index];
    framework.demands.clear();
    if (!config_.all_declare && prng_.Chance(1, 2)) {
      allocator_.SetDemand(FrameworkIndex(*index), false, {});
      return;
    }
    std::vector<Demand> demands;
    for (uint64_t n = prng_.Below(5); n > 0; --n) {
      Demand demand;
      demand.role = AnyRole();
      demand.shape.count[0] = prng_.Between(1, 4) * 500;
      demand.shape.count[1] = prng_.Between(0, 2) << 29;
      demand.shape.count[4] = prng_.Chance(1, 4) ? 1 : 0;
      demand.count = prng_.Between(0, 6);
      if (prng_.Chance(1, 4)) demand.constraints.push_back(*Constraint::Parse("zone==z1"));
      framework.demands.push_back(
          {Role(demand.role), demand.shape, demand.count, demand.constraints});
      demands.push_back(std::move(demand));
    }
    allocator_.SetDemand(FrameworkIndex(*index), true, std::move(demands));
  }

  void SuppressOrRevive() {
    const auto index = AnyFramework();
    if (!index.has_value()) return;
    OracleFramework& framework = oracle_.frameworks[*index];
    std::vector<RoleIndex> roles;
    if (prng_.Chance(2, 3)) roles.push_back(AnyRole());
    const auto concerned = [&](const std::string& role) {
      return roles.empty() || Role(roles[0]) == role;
    };
    auto& suppressed = framework.suppressed;
    if (prng_.Chance(1, 5)) {
      for (const std::string& role : framework.roles) {
        if (concerned(role)) suppressed.push_back(role);
      }
      allocator_.Suppress(FrameworkIndex(*index), roles);
    } else {
      suppressed.erase(std::remove_if(suppressed.begin(), suppressed.end(), concerned),
                       suppressed.end());
      ForgetRefusals([&](const auto& key) {
        return std::get<0>(key) == *index && concerned(std::get<1>(key));
      });
      allocator_.Revive(FrameworkIndex(*index), roles);
    }
  }

  void Connect() {
    const auto index = AnyFramework();
    if (!index.has_value()) return;
    const bool active = prng_.Chance(9, 10);
    oracle_.frameworks[*index].active = active;
    if (!active) ForgetRefusals([&](const auto& key) { return std::get<0>(key) == *index; });
    allocator_.SetFrameworkActive(FrameworkIndex(*index), active);
  }

  void SetWeight() {
    const RoleIndex role = AnyRole();
    if (role == kUnreserved) return;
    const int64_t weight = prng_.Between(1, 40) * 250;
    oracle_.weights_milli[Role(role)] = weight;
    allocator_.SetWeight(role, weight);
  }

  void Hold() {
    const auto framework = AnyFramework();
    const auto agent = AnyAgent();
    if (!framework.has_value() || !agent.has_value()) return;
    Grant grant;
    grant.framework = FrameworkIndex(*framework);
    grant.role = AnyRole();
    grant.agent = AgentIndex(*agent);
    Portion portion;
    if (prng_.Chance(1, 4)) portion.reserved_to = AnyRole();
    portion.amounts.count[0] = prng_.Between(1, 4) * 500;
    grant.portions.push_back(portion);
    allocator_.Hold(grant.framework, grant.role, grant.agent, grant.portions);
    TakeInOracle(grant, 1);
    holdings_.push_back(Holding{grant, false});
  }

  // Something is done with a holding: answered if it is a grant, else ended.
  void Answer() {
    if (holdings_.empty()) return;
    const size_t i = prng_.Below(holdings_.size());
    Holding& holding = holdings_[i];
    const Grant grant = holding.grant;
    if (!holding.outstanding) {
      Release(i);
      return;
    }
    holding.outstanding = false;
    if (prng_.Chance(1, 2)) {
      allocator_.Accepted(grant.framework, grant.role);
    } else {
      Release(i);
      allocator_.DeclinedWhole(grant.framework, grant.role);
      if (prng_.Chance(3, 4)) Refuse(grant);
    }
    --oracle_.frameworks[grant.framework.value].outstanding;
    allocator_.GrantClosed(grant.framework);
  }

  void Refuse(const Grant& grant) {
    Amounts refused;
    for (const Portion& portion : grant.portions) refused += portion.amounts;
    const Time until = now_ + prng_.Between(0, 10000);
    allocator_.Refuse(grant.framework, grant.role, grant.agent, refused, until);
    const auto& roles = oracle_.frameworks[grant.framework.value].roles;
    if (std::find(roles.begin(), roles.end(), Role(grant.role)) == roles.end()) return;
    oracle_.refusals[{grant.framework.value, Role(grant.role), grant.agent.value}] = {refused,
                                                                                      until};
  }

  void TakeInOracle(const Grant& grant, int sign) {
    for (const Portion& portion : grant.portions) {
      Amounts& free = oracle_.agents[grant.agent.value].free[Role(portion.reserved_to)];
      Amounts& held = oracle_.held[{grant.framework.value, Role(grant.role)}];
      if (sign > 0) {
        free -= portion.amounts;
        held += portion.amounts;
      } else {
        free += portion.amounts;
        held -= portion.amounts;
      }
    }
  }

  void Release(size_t i) {
    const Grant grant = holdings_[i].grant;
    holdings_.erase(holdings_.begin() + static_cast<long>(i));
    TakeInOracle(grant, -1);
    allocator_.Release(grant.framework, grant.role, grant.agent, grant.portions);
  }

  template <typename F>
  void ReleaseAll(F f) {
    for (size_t i = holdings_.size(); i-- > 0;) {
      if (!f(holdings_[i].grant)) continue;
      if (holdings_[i].outstanding) {
        --oracle_.frameworks[holdings_[i].grant.framework.value].outstanding;
        allocator_.GrantClosed(holdings_[i].grant.framework);
      }
      Release(i);
    }
  }

  template <typename F>
  void ForgetRefusals(F f) {
    for (auto refusal = oracle_.refusals.begin(); refusal != oracle_.refusals.end();) {
      refusal = f(refusal->first) ? oracle_.refusals.erase(refusal) : std::next(refusal);
    }
  }

  void Allocate() {
    allocator_.CheckInvariants();
    Allocator copy(allocator_);
    std::vector<Grant> grants;
    allocator_.Allocate(now_, &grants);
    allocator_.CheckInvariants();
    std::vector<Grant> again;
    copy.Allocate(now_, &again);
    ASSERT_EQ(grants.size(), again.size()) << "a copy grants otherwise";
    for (size_t i = 0; i < grants.size(); ++i) {
      ASSERT_TRUE(grants[i].framework == again[i].framework && grants[i].role == again[i].role &&
                  grants[i].agent == again[i].agent && grants[i].portions == again[i].portions)
          << "a copy grants otherwise";
    }
    CheckRefusals(grants);
    if (::testing::Test::HasFatalFailure()) return;
    config_.all_declare ? CompareWithOracle(grants) : AcceptIntoOracle(grants);
    for (const Grant& grant : grants) holdings_.push_back(Holding{grant, true});
    all_grants_ += static_cast<int64_t>(grants.size());
    CheckFree();
  }

  void CheckRefusals(const std::vector<Grant>& grants) {
    for (const Grant& grant : grants) {
      const auto refusal =
          oracle_.refusals.find({grant.framework.value, Role(grant.role), grant.agent.value});
      if (refusal == oracle_.refusals.end() || refusal->second.second <= now_) continue;
      Amounts amounts;
      for (const Portion& portion : grant.portions) amounts += portion.amounts;
      ASSERT_FALSE(refusal->second.first.Contains(amounts)) << "granted although refused";
    }
  }

  void CompareWithOracle(const std::vector<Grant>& grants) {
    const std::vector<OracleGrant> expected = oracle_.Allocate(now_);
    for (size_t i = 0; i < std::min(grants.size(), expected.size()); ++i) {
      ASSERT_EQ(grants[i].framework.value, expected[i].framework) << "grant " << i;
      ASSERT_EQ(Role(grants[i].role), expected[i].role) << "grant " << i;
      ASSERT_EQ(grants[i].agent.value, expected[i].agent) << "grant " << i;
      std::map<std::string, Amounts> portions;
      for (const Portion& portion : grants[i].portions) {
        portions[Role(portion.reserved_to)] = portion.amounts;
      }
      ASSERT_TRUE(portions == expected[i].portions) << "grant " << i;
    }
    ASSERT_EQ(grants.size(), expected.size());
  }

  void AcceptIntoOracle(const std::vector<Grant>& grants) {
    for (const Grant& grant : grants) {
      TakeInOracle(grant, 1);
      ++oracle_.frameworks[grant.framework.value].outstanding;
      const OracleAgent& agent = oracle_.agents.at(grant.agent.value);
      ASSERT_TRUE(agent.active);
      for (const Portion& portion : grant.portions) {
        ASSERT_FALSE(agent.free.at(Role(portion.reserved_to)).AnyNegative()) << "over-committed";
      }
    }
  }

  void CheckFree() {
    for (const auto& [index, agent] : oracle_.agents) {
      for (RoleIndex role : roles_) {
        const auto free = agent.free.find(Role(role));
        const Amounts expected = free == agent.free.end() ? Amounts() : free->second;
        ASSERT_TRUE(allocator_.Free(AgentIndex(index), role) == expected)
            << "agent " << index << ", role " << Role(role);
      }
    }
    for (const auto& [client, amounts] : oracle_.held) {
      if (oracle_.frameworks.count(client.first) == 0) continue;
      ASSERT_TRUE(allocator_.Held(FrameworkIndex(client.first),
                                  allocator_.InternRole(client.second)) == amounts);
    }
  }

  const Config config_;
  Prng prng_;
  Allocator allocator_;
  Oracle oracle_;
  std::vector<RoleIndex> roles_;
  std::vector<Holding> holdings_;
  Time now_{1000};
  int64_t all_grants_ = 0;
};

void RunWorlds(Config config, int worlds) {
  int64_t grants = 0;
  for (int i = 0; i < worlds; ++i) {
    config.seed = static_cast<uint64_t>(i);
    World world(config);
    world.Run();
    if (::testing::Test::HasFailure()) return;
    grants += world.grants();
  }
  EXPECT_GT(grants, worlds * config.steps / 10) << "the worlds are too quiet to show anything";
}

TEST(AllocatorProperty, EveryGrantGoesToTheFairestEligibleClient) { RunWorlds(Config(), 60); }

TEST(AllocatorProperty, TheSameUnderACapOfGrants) {
  Config config;
  config.cap = 2;
  RunWorlds(config, 40);
}

TEST(AllocatorProperty, TheSameWithMoreAgentsThanAreLookedAtOneByOne) {
  Config config;
  config.agents = 150;
  config.frameworks = 12;
  config.steps = 150;
  RunWorlds(config, 6);
}

TEST(AllocatorProperty, NeverOverCommittedNorAgainstARefusalWithoutDemandAndWithCrumbs) {
  Config config;
  config.all_declare = false;
  config.crumb_hold_ms = 10000;
  config.cap = 5;
  RunWorlds(config, 80);
}

}  // namespace
}  // namespace proffer::allocator
