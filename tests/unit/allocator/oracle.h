// The allocator's contract once more, as plainly as it can be said: no incremental state, every
// pair looked at in every step, roles as texts. Slow, and therefore believable.
//
// It says what Allocate must grant as long as every framework declares its demand and no crumbs
// are kept.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "allocator/allocator.h"

namespace proffer::allocator {

struct OracleAgent {
  bool active = true;
  AgentFacts facts;
  std::map<std::string, Amounts> total;  // By role.
  std::map<std::string, Amounts> free;
};

struct OracleFramework {
  bool active = true;
  int outstanding = 0;
  std::vector<std::string> roles;
  std::vector<std::string> suppressed;
  struct OracleDemand {
    std::string role;
    Amounts shape;
    int64_t count;
    Constraints constraints;
  };
  std::vector<OracleDemand> demands;
};

struct OracleGrant {
  uint32_t framework;
  std::string role;
  uint32_t agent;
  std::map<std::string, Amounts> portions;
};

class Oracle {
 public:
  using Client = std::pair<uint32_t, std::string>;  // Framework, role.

  std::map<uint32_t, OracleAgent> agents;
  std::map<uint32_t, OracleFramework> frameworks;
  std::map<Client, Amounts> held;
  std::map<std::string, int64_t> weights_milli;
  std::map<std::tuple<uint32_t, std::string, uint32_t>, std::pair<Amounts, Time>> refusals;
  int cap = 0;
  uint64_t seed = 0;
  uint32_t known_agents = 0;  // The largest index ever, plus 1.

  std::vector<OracleGrant> Allocate(Time now);
  // The order in which agents are tried: by index, beginning at a multiple of 64 that depends on
  // the seed.
  std::vector<uint32_t> Order() const;
  int64_t Share(const Amounts& amounts) const;  // Dominant.
  Amounts FreeFor(const OracleAgent& agent, const std::string& role) const;

 private:
  struct Step {
    Client client;
    size_t demand = 0;
    uint32_t agent = 0;
    int64_t shapes = 0;
  };

  bool FindStep(const Client& client, Time now, const std::vector<OracleGrant>& made,
                Step* step) const;
  bool Fits(const Client& client, const OracleFramework::OracleDemand& demand, uint32_t agent,
            Time now, const std::vector<OracleGrant>& made, int64_t* shapes) const;
  const Step* Fairest(const std::vector<Step>& steps, const std::string& below) const;
  void Give(const Step& step, std::vector<OracleGrant>* made);
};

}  // namespace proffer::allocator
