// What an agent keeps on disk, as domain types: one record a fact, each written whole.
//
// The shell maps a record to one or more keys of its store; whatever one record changes is changed
// in one atomic write. A crash keeps a prefix of the records in the order of their numbers.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "common/model/agent_protocol.h"
#include "common/model/ids.h"
#include "common/model/task.h"
#include "proffer/resources.h"

namespace proffer::agent {

// Who the agent is. Replaces the identity before.
struct IdentityRecord {
  std::string cluster_id;  // Empty: never registered.
  model::AgentId agent;
  uint64_t highest_epoch = 0;  // The highest that it has obeyed.
  std::string boot_id;         // Of the machine when it was written.
  uint64_t resources_generation = 0;
  Resources total;
  bool gone = false;  // Declared gone by the operator; its tasks are being killed.
  friend bool operator==(const IdentityRecord&, const IdentityRecord&) = default;
};

// How far an attempt has come: everything about it that changes.
struct Progress {
  model::TaskState state = model::TaskState::kStarting;  // The newest.
  model::TaskReason reason = model::TaskReason::kNone;
  std::string message;
  bool started = false;  // It is known to have run.
  // Why it is being killed; kNone: it is not.
  model::TaskReason kill_reason = model::TaskReason::kNone;
  int64_t kill_grace_ms = 0;
  uint64_t last_sequence = 0;
  std::vector<model::TaskStatus> unacknowledged;  // Oldest first.
};

// A launch that was taken up or refused. Written once an attempt, payload included when it will be
// started; `progress` is overruled by a later ProgressRecord.
struct TaskRecord {
  model::LaunchTask launch;
  Progress progress;
};

struct ProgressRecord {
  model::AttemptId attempt;
  Progress progress;
};

// The attempt is over, acknowledged and forgotten: its task and progress records are deleted, and
// this one stays, so that it is never started again.
struct Tombstone {
  model::AttemptId attempt;
};

// Tombstones that no order can concern any more; deleted.
struct TombstonesDropped {
  std::vector<model::AttemptId> attempts;
};

using Record =
    std::variant<IdentityRecord, TaskRecord, ProgressRecord, Tombstone, TombstonesDropped>;

// What a sequence of records amounts to: the reference for every store of them. Used by tests and
// the simulator as the disk.
class RecordSet {
 public:
  void Apply(const Record& record);
  // What recovery reads: the identity, then tasks, progress and tombstones.
  std::vector<Record> All() const;

 private:
  std::optional<IdentityRecord> identity_;
  std::map<model::AttemptId, TaskRecord> tasks_;
  std::map<model::AttemptId, ProgressRecord> progress_;
  std::set<model::AttemptId> tombstones_;
};

}  // namespace proffer::agent
