// Interning of constraint lists.
#include "allocator/constraint_classes.h"

#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace proffer::allocator {
namespace {

// Equal for equal lists only: every text is preceded by its length.
std::string KeyOf(const Constraints& constraints) {
  std::string key;
  for (const Constraint& c : constraints) {
    absl::StrAppend(&key, c.negated() ? "!" : "=", static_cast<int>(c.test()), ",",
                    c.values().size(), ",", c.fact().size(), ":", c.fact());
    for (const std::string& value : c.values()) absl::StrAppend(&key, value.size(), ":", value);
  }
  return key;
}

}  // namespace

ConstraintClass ConstraintClasses::Acquire(const Constraints& constraints, const Agents& agents) {
  if (constraints.empty()) return ConstraintClass();
  std::string key = KeyOf(constraints);
  auto [found, is_new] = ids_.try_emplace(key, 0);
  if (!is_new) {
    ++classes_[found->second].uses;
    return ConstraintClass(found->second);
  }
  if (unused_.empty()) {
    found->second = static_cast<uint32_t>(classes_.size());
    classes_.emplace_back();
  } else {
    found->second = unused_.back();
    unused_.pop_back();
  }
  Class& klass = classes_[found->second];
  klass.key = std::move(key);
  klass.constraints = constraints;
  klass.uses = 1;
  for (uint32_t a = 0; a < agents.size(); ++a) {
    const AgentIndex agent(a);
    if (agents.Knows(agent) && AllHold(constraints, *agents[agent].facts)) klass.agents.Set(a);
  }
  return ConstraintClass(found->second);
}

void ConstraintClasses::Release(ConstraintClass klass) {
  if (!klass.valid()) return;
  Class& c = classes_[klass.value];
  if (--c.uses > 0) return;
  ids_.erase(c.key);
  c = Class();
  unused_.push_back(klass.value);
}

void ConstraintClasses::AgentChanged(AgentIndex agent, const AgentFacts& facts) {
  for (Class& c : classes_) {
    if (c.uses > 0) c.agents.Put(agent.value, AllHold(c.constraints, facts));
  }
}

void ConstraintClasses::AgentRemoved(AgentIndex agent) {
  for (Class& c : classes_) c.agents.Clear(agent.value);
}

void ConstraintClasses::CheckInvariants(const Agents& agents) const {
  for (const Class& c : classes_) {
    if (c.uses == 0) continue;
    for (uint32_t a = 0; a < agents.size(); ++a) {
      const bool holds =
          agents.Knows(AgentIndex(a)) && AllHold(c.constraints, *agents[AgentIndex(a)].facts);
      CHECK_EQ(c.agents.Test(a), holds) << "class of constraints, agent " << a;
    }
  }
}

}  // namespace proffer::allocator
