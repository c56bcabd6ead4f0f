#include "master/core/agents.h"

#include <glog/logging.h>

#include <utility>
#include <variant>

#include "common/base/simulation.h"
#include "master/core/world.h"

namespace proffer::master {
namespace {

void AddTo(Resources& sum, const Resources& more) {
  const absl::Status added = sum.Add(more);
  CHECK(added.ok()) << added << ": " << sum << " + " << more;
}

void TakeFrom(Resources& sum, const Resources& less) {
  const absl::Status taken = sum.Subtract(less);
  CHECK(taken.ok()) << taken << ": " << sum << " - " << less;
}

// Takes out of `wanted` what is not a whole number of items.
Quantities TakePartsOfItems(const Resources& free, Quantities* wanted) {
  Quantities parts;
  for (const Resource& item : free.items()) {
    if (std::holds_alternative<Scalar>(item.value) || UnitOf(item.name) != Unit::kThousandths) {
      continue;
    }
    const int64_t part = wanted->Get(item.name) % 1000;
    if (part == 0) continue;
    parts.Set(item.name, part);
    wanted->Set(item.name, wanted->Get(item.name) - part);
  }
  return parts;
}

allocator::FrameworkIndex FrameworkOf(World& world, const Task& task) {
  return world.frameworks.Find(task.key.framework)->index;
}

// The allocator knows nothing of a task without anything that it counts.
void Release(World& world, Agent& agent, allocator::FrameworkIndex framework,
             const std::string& role, const Resources& resources) {
  const allocator::Portions portions = ToPortions(world, resources);
  if (portions.empty()) return;
  world.allocator.Release(framework, world.allocator.InternRole(role), agent.index, portions);
}

void Hold(World& world, Agent& agent, Task& task) {
  TakeFrom(agent.free, task.resources);
  AddTo(agent.used, task.resources);
  task.holds_resources = true;
  const allocator::Portions portions = ToPortions(world, task.resources);
  if (portions.empty()) return;
  world.allocator.Hold(FrameworkOf(world, task), world.allocator.InternRole(task.role), agent.index,
                       portions);
}

// What did not fit before may fit now.
void AccountForMore(World& world, Agent& agent) {
  if (agent.unaccounted.empty()) return;
  for (auto it = agent.unaccounted.begin(); it != agent.unaccounted.end();) {
    Framework& framework = *world.frameworks.Find(it->first.framework);
    Task& task = framework.tasks.at({it->first.task, it->second});
    if (agent.free.Contains(task.resources)) {
      Hold(world, agent, task);
      it = agent.unaccounted.erase(it);
    } else {
      REACHED("a task does not fit into what its agent has left");
      ++it;
    }
  }
  SyncActive(world, agent);
}

void GiveBack(World& world, Agent& agent, allocator::FrameworkIndex framework,
              const std::string& role, const Resources& resources) {
  AddTo(agent.free, resources);
  Release(world, agent, framework, role, resources);
  AccountForMore(world, agent);
  world.Touch(agent);
}

}  // namespace

Agent* Agents::Find(const model::AgentId& id) {
  auto it = by_id_.find(id);
  return it == by_id_.end() ? nullptr : &it->second;
}

const Agent* Agents::Find(const model::AgentId& id) const {
  auto it = by_id_.find(id);
  return it == by_id_.end() ? nullptr : &it->second;
}

Agent* Agents::FindByStream(StreamId stream) {
  auto it = by_stream_.find(stream);
  return it == by_stream_.end() ? nullptr : it->second;
}

Agent& Agents::At(allocator::AgentIndex index) { return *by_index_.at(index.value); }

Agent& Agents::Add(const model::AgentId& id) {
  Agent& agent = by_id_[id];
  agent.id = id;
  agent.index = allocator::AgentIndex(static_cast<uint32_t>(by_index_.size()));
  by_index_.push_back(&agent);
  return agent;
}

void Agents::Connect(Agent& agent, StreamId stream) {
  agent.stream = stream;
  by_stream_[stream] = &agent;
}

void Agents::Disconnect(Agent& agent) {
  by_stream_.erase(agent.stream);
  agent.stream = 0;
  agent.registering = false;
  agent.reported.clear();
}

allocator::Portions ToPortions(World& world, const Resources& resources) {
  std::map<std::string, Quantities> by_role;
  const Resources interchangeable = resources.Interchangeable();
  for (const Resource& item : interchangeable.items()) {
    Quantities& q = by_role[item.role()];
    q.Set(item.name, q.Get(item.name) + item.Count());
  }
  allocator::Portions portions;
  for (const auto& [role, quantities] : by_role) {
    absl::StatusOr<allocator::Amounts> amounts = world.allocator.Intern(quantities);
    // Every agent's kinds are interned before it is let in, and tasks hold parts of agents.
    CHECK(amounts.ok()) << amounts.status();
    portions.push_back({world.allocator.InternRole(role), *amounts});
  }
  return portions;
}

Resources TakeForOffer(World& world, Agent& agent, const allocator::Grant& grant) {
  Resources taken;
  for (const allocator::Portion& portion : grant.portions) {
    Quantities wanted = world.allocator.ToQuantities(portion.amounts);
    const Quantities parts = TakePartsOfItems(agent.free, &wanted);
    if (!parts.empty()) {
      world.allocator.Release(grant.framework, grant.role, agent.index,
                              {{portion.reserved_to, *world.allocator.Intern(parts)}});
      REACHED("parts of items were granted, which cannot be offered");
    }
    const absl::StatusOr<Resources> picked =
        agent.free.Pick(wanted, world.allocator.RoleName(portion.reserved_to));
    CHECK(picked.ok()) << "granted more of " << agent.id << " than is free: " << picked.status();
    TakeFrom(agent.free, *picked);
    AddTo(taken, *picked);
  }
  AddTo(agent.offered, taken);
  world.Touch(agent);
  return taken;
}

void ReturnOffered(World& world, Agent& agent, allocator::FrameworkIndex framework,
                   const std::string& role, const Resources& resources) {
  TakeFrom(agent.offered, resources);
  GiveBack(world, agent, framework, role, resources);
}

void UseOffered(World& world, Agent& agent, const Resources& resources) {
  TakeFrom(agent.offered, resources);
  AddTo(agent.used, resources);
  world.Touch(agent);
}

void UseReported(World& world, Agent& agent, Task& task) {
  agent.unaccounted.insert({task.key, task.attempt});
  AccountForMore(world, agent);
  world.Touch(agent);
}

void ReturnUsed(World& world, Agent& agent, Task& task) {
  if (agent.unaccounted.erase({task.key, task.attempt}) > 0) {
    REACHED("a task ended that did not fit into its agent");
    SyncActive(world, agent);
    return;
  }
  if (!task.holds_resources) return;
  if (MUTANT("ended-task-keeps-resources")) return;
  task.holds_resources = false;
  TakeFrom(agent.used, task.resources);
  GiveBack(world, agent, FrameworkOf(world, task), task.role, task.resources);
}

void SetInfo(World& world, Agent& agent, const model::AgentInfo& info) {
  CHECK(agent.offers.empty()) << agent.id;
  if (agent.in_allocator && agent.info == info) return;
  if (agent.in_allocator) REACHED("an agent came back with other resources or facts");
  // What its tasks hold is counted anew, against the new total.
  for (const AgentTask& key : agent.tasks) {
    Framework& framework = *world.frameworks.Find(key.first.framework);
    Task& task = framework.tasks.at({key.first.task, key.second});
    if (!task.holds_resources) continue;
    task.holds_resources = false;
    agent.unaccounted.insert(key);
    Release(world, agent, framework.index, task.role, task.resources);
  }
  agent.info = info;
  agent.free = info.resources;
  agent.used = Resources();
  const allocator::Portions total = ToPortions(world, info.resources);
  if (agent.in_allocator) {
    world.allocator.UpdateAgent(agent.index, info.facts, total);
  } else {
    world.allocator.AddAgent(agent.index, info.facts, total);
    agent.in_allocator = true;
    agent.active = true;  // As the allocator takes it to be at first.
  }
  AccountForMore(world, agent);
  SyncActive(world, agent);
  world.touched.shares = true;
  world.Touch(agent);
}

void SyncActive(World& world, Agent& agent) {
  bool active = agent.connected() && !agent.registering && agent.unaccounted.empty();
  if (MUTANT("offers-of-an-absent-agent")) active = true;
  if (!agent.in_allocator || active == agent.active) return;
  agent.active = active;
  world.allocator.SetAgentActive(agent.index, active);
}

AgentView ViewOf(const Agent& agent) {
  AgentView view;
  view.id = agent.id;
  view.facts = agent.info.facts;
  view.state = agent.state;
  view.total = agent.info.resources;
  view.used = agent.used;
  view.offered = agent.offered;
  view.tasks = static_cast<int64_t>(agent.tasks.size());
  view.resources_generation = agent.resources_generation;
  view.version = agent.version.ToString();
  return view;
}

}  // namespace proffer::master
