// Constraint lists told once: equal lists are one class, and each class keeps a row of the agents
// on which all its constraints hold.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "allocator/agents.h"
#include "allocator/bit_row.h"
#include "proffer/constraints.h"

namespace proffer::allocator {

struct ConstraintClassTag {};
using ConstraintClass = StrongIndex<ConstraintClassTag>;

class ConstraintClasses {
 public:
  // Not valid for an empty list: it holds everywhere.
  ConstraintClass Acquire(const Constraints& constraints, const Agents& agents);
  void Release(ConstraintClass klass);

  void AgentChanged(AgentIndex agent, const AgentFacts& facts);
  void AgentRemoved(AgentIndex agent);

  bool Holds(ConstraintClass klass, AgentIndex agent) const {
    return !klass.valid() || classes_[klass.value].agents.Test(agent.value);
  }
  uint64_t Word(ConstraintClass klass, size_t word) const {
    return klass.valid() ? classes_[klass.value].agents.Word(word) : ~uint64_t{0};
  }
  void CheckInvariants(const Agents& agents) const;

 private:
  struct Class {
    std::string key;
    Constraints constraints;
    int64_t uses = 0;  // 0: the slot is unused.
    BitRow agents;
  };
  std::map<std::string, uint32_t> ids_;
  std::vector<Class> classes_;
  std::vector<uint32_t> unused_;
};

}  // namespace proffer::allocator
