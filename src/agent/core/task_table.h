// Every attempt that the agent knows, and the tombstones of those it has forgotten.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "agent/core/records.h"
#include "agent/core/task_machine.h"
#include "agent/core/turn.h"
#include "common/model/ids.h"

namespace proffer::agent {

// More are not kept: the oldest attempts go first. Together with the rule that attempts of a
// former epoch are never started, it takes a master that repeats a launch after so many others.
inline constexpr size_t kTombstones = 4096;

class TaskTable {
 public:
  Task* Find(const model::AttemptId& attempt);
  const Task* Find(const model::AttemptId& attempt) const;
  // REQUIRES: not known yet.
  Task* Insert(Task task);
  // Deletes the task and leaves a tombstone, durably.
  void Forget(const Turn& turn, const model::AttemptId& attempt);

  bool HasTombstone(const model::AttemptId& attempt) const {
    return tombstones_.count(attempt) != 0;
  }
  void RecoverTombstone(const model::AttemptId& attempt) { tombstones_.insert(attempt); }
  // Drops those of epochs before `epoch`: attempts of a former epoch are refused anyway.
  void DropTombstonesBefore(const Turn& turn, uint64_t epoch);

  // In the order of their ids.
  std::vector<model::AttemptId> OfFramework(const model::FrameworkId& framework) const;
  const std::map<model::AttemptId, Task>& all() const { return tasks_; }
  const std::set<model::AttemptId>& tombstones() const { return tombstones_; }

 private:
  std::map<model::AttemptId, Task> tasks_;
  std::map<model::FrameworkId, std::set<model::AttemptId>> by_framework_;
  std::set<model::AttemptId> tombstones_;
};

}  // namespace proffer::agent
