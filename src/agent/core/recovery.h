// From records to tasks after a restart, and the wait until every container was looked for.
//
// An absent container is not evidence by itself: only what the shell found on this boot decides.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "agent/core/records.h"
#include "agent/core/tasks.h"
#include "agent/core/turn.h"
#include "common/model/ids.h"

namespace proffer::agent {

class Recovery {
 public:
  // Fills the tables. Records that contradict each other are only those we wrote wrongly.
  Recovery(const std::vector<Record>& records, TaskTable* table, Tasks* tasks);

  // Null if the agent never ran.
  const IdentityRecord* identity() const { return identity_ ? &*identity_ : nullptr; }

  // Asks for every container that may live. After a reboot none does.
  void Start(const Turn& turn, const std::string& boot_id);
  // An answer about `attempt`. True when it was the last one that was missing.
  bool Answered(const model::AttemptId& attempt);

  bool done() const { return started_ && missing_.empty(); }

 private:
  const TaskTable* const table_;
  Tasks* const tasks_;
  std::optional<IdentityRecord> identity_;
  bool started_ = false;
  std::set<model::AttemptId> missing_;
};

}  // namespace proffer::agent
