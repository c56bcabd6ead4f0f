// The table of agents: who they are, what they have, and what of it is free, offered and used.
// Always: free + offered + used = total.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "allocator/allocator.h"
#include "common/model/agent_protocol.h"
#include "master/core/events.h"
#include "master/core/views.h"

namespace proffer::master {

struct World;
struct Task;

// Names a row of Framework::tasks.
using AgentTask = std::pair<model::TaskKey, model::AttemptId>;

struct Agent {
  model::AgentId id;
  allocator::AgentIndex index;
  AgentState state = AgentState::kDisconnected;
  model::AgentInfo info;
  model::Version version;
  uint64_t resources_generation = 0;

  StreamId stream = 0;                       // 0 while disconnected.
  bool registering = false;                  // Connected, but its tasks are still being pulled.
  std::vector<model::TaskSummary> reported;  // While registering.
  Time last_heard;
  uint64_t ping = 0;

  bool in_allocator = false;
  bool active = false;  // In the allocator.
  Resources free;
  Resources offered;
  Resources used;
  std::set<model::OfferId> offers;
  std::set<AgentTask> tasks;
  // Those of its live tasks that do not fit into the total beside the others: the agent came back
  // smaller, or two of them claim the same port. While there are any nothing is offered.
  std::set<AgentTask> unaccounted;

  bool connected() const { return stream != 0; }
  const std::string& name() const { return info.facts.hostname; }
};

class Agents {
 public:
  Agent* Find(const model::AgentId& id);
  const Agent* Find(const model::AgentId& id) const;
  Agent* FindByStream(StreamId stream);
  Agent& At(allocator::AgentIndex index);
  // A new row with a fresh index.
  Agent& Add(const model::AgentId& id);
  void Connect(Agent& agent, StreamId stream);
  void Disconnect(Agent& agent);

  const std::map<model::AgentId, Agent>& all() const { return by_id_; }
  std::map<model::AgentId, Agent>& all() { return by_id_; }
  size_t size() const { return by_id_.size(); }

 private:
  std::map<model::AgentId, Agent> by_id_;
  std::vector<Agent*> by_index_;
  std::map<StreamId, Agent*> by_stream_;
};

// --- What happens to an agent's resources; each keeps the allocator in step. ---

// Free resources of the amounts that the allocator granted, chosen and marked offered. Parts of
// items cannot be chosen (a demand may ask for half a licence) and go back to the allocator at
// once; may therefore be nothing. REQUIRES: the allocator granted them.
Resources TakeForOffer(World& world, Agent& agent, const allocator::Grant& grant);
// Back from offered to free.
void ReturnOffered(World& world, Agent& agent, allocator::FrameworkIndex framework,
                   const std::string& role, const Resources& resources);
// From offered to used: a task is launched.
void UseOffered(World& world, Agent& agent, const Resources& resources);
// A task that the agent reported is found to use its resources.
void UseReported(World& world, Agent& agent, Task& task);
// A task ended.
void ReturnUsed(World& world, Agent& agent, Task& task);
// The agent is new, or came back with other facts or another total. REQUIRES: nothing is offered.
void SetInfo(World& world, Agent& agent, const model::AgentInfo& info);
// Tells the allocator whether the agent may be granted just now.
void SyncActive(World& world, Agent& agent);

// The amounts of `resources` by the role they are reserved to. Volumes, shared and revocable
// resources are not counted: the allocator does not give them out.
allocator::Portions ToPortions(World& world, const Resources& resources);

AgentView ViewOf(const Agent& agent);

}  // namespace proffer::master
