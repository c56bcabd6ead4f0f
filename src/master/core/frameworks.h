// The table of frameworks: who they are, how they are connected, what they have.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "allocator/allocator.h"
#include "common/model/scheduler_protocol.h"
#include "master/core/events.h"
#include "master/core/reconciliation.h"
#include "master/core/records.h"
#include "master/core/tasks.h"
#include "master/core/views.h"

namespace proffer::master {

struct World;

struct Framework {
  model::FrameworkInfo info;
  std::string principal;
  allocator::FrameworkIndex index;

  StreamId stream = 0;    // 0 while disconnected.
  Time last_heard;        // While connected.
  uint64_t instance = 0;  // The newest that has subscribed; 0: not counted.
  // Its id was told to the scheduler: from then on it is listed and must be given up in order.
  bool known_only_from_agents = false;
  // Torn down. Stays until its last task is known to have ended: what a task holds is in nobody
  // else's hand before.
  bool ending = false;
  std::set<std::string> suppressed;
  bool demand_declared = false;
  std::vector<model::Demand> demands;

  // How long it had been disconnected when `disconnected_at` began, over all leaders.
  int64_t disconnected_before_ms = 0;
  Time disconnected_at;

  std::map<TaskRowKey, Task> tasks;  // Live, unreachable, or ended and unacknowledged.
  std::deque<TaskView> ended;        // The last ones, oldest first.
  std::set<model::OfferId> offers;
  std::deque<Question> questions;  // Whose answers were not all told.
  int told_since_heartbeat = 0;    // Of these answers.
  int64_t live_count = 0;          // Rows that have not ended.
  int64_t ended_count = 0;         // Since this leader began.

  const model::FrameworkId& id() const { return info.id; }
  bool connected() const { return stream != 0; }
  int64_t failover_timeout_ms() const;
};

class Frameworks {
 public:
  Framework* Find(const model::FrameworkId& id);
  const Framework* Find(const model::FrameworkId& id) const;
  Framework* FindByStream(StreamId stream);
  Framework& At(allocator::FrameworkIndex index);
  Framework& Add(const model::FrameworkInfo& info);
  void Connect(Framework& framework, StreamId stream);
  void Disconnect(Framework& framework);
  void Remove(Framework& framework);

  // Ids that were torn down, so that they can be refused with the right words.
  bool WasRemoved(const model::FrameworkId& id) const { return removed_.count(id) > 0; }
  void RememberRemoved(const model::FrameworkId& id);
  // The oldest of too many, which is forgotten; nullopt when there are not too many.
  std::optional<model::FrameworkId> ForgetRemoved();

  const std::map<model::FrameworkId, Framework>& all() const { return by_id_; }
  std::map<model::FrameworkId, Framework>& all() { return by_id_; }

 private:
  std::map<model::FrameworkId, Framework> by_id_;
  std::vector<Framework*> by_index_;
  std::vector<uint32_t> free_indices_;
  std::map<StreamId, Framework*> by_stream_;
  std::set<model::FrameworkId> removed_;
  std::deque<model::FrameworkId> removed_order_;  // Oldest first.
};

// --- What happens to a framework ---

void FrameworkSubscribed(World& world, StreamId stream, const std::string& principal,
                         uint64_t call_id, const model::Subscribe& subscribe);
void FrameworkUpdated(World& world, Framework& framework, uint64_t call_id,
                      const model::UpdateFramework& update);
void DemandSet(World& world, Framework& framework, uint64_t call_id, const model::SetDemand& set);
void RolesSuppressed(World& world, Framework& framework, uint64_t call_id,
                     const std::vector<std::string>& roles);
void RolesRevived(World& world, Framework& framework, uint64_t call_id,
                  const std::vector<std::string>& roles);
void FrameworkStreamClosed(World& world, Framework& framework);
// Says that the master lives; or cuts off a scheduler that has not said so for too long: its stream
// may be one that the network has forgotten.
void HeartbeatDue(World& world, Framework& framework);
// Ends it for good: tasks are killed, the id is refused from now on. `call_id`: of the scheduler's
// own call, if that is what ends it.
void TearDown(World& world, Framework& framework, const std::string& why, uint64_t call_id = 0);
// A framework that was torn down and of which an agent still has tasks.
Framework& AdoptEnding(World& world, const model::FrameworkId& id);
// Removes those that were torn down and have no tasks any more. At the end of a turn.
void RemoveEnded(World& world);
// Begins or moves the time that it may stay away.
void SetFailoverTimer(World& world, const Framework& framework);
// A framework that only agents know of: it gets the chance to come back.
Framework& AdoptFromAgent(World& world, const model::FrameworkId& id);
// At the start, from the registry.
void RecoverFramework(World& world, const FrameworkRecord& record);
void WriteFrameworkRecord(World& world, const Framework& framework);
// It is away, and for how long is to be written down again.
void ElapsedDue(World& world, const Framework& framework);

FrameworkView ViewOf(const Framework& framework);

}  // namespace proffer::master
