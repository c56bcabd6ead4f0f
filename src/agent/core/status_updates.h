// Delivers statuses at least once: one in flight a task, a bounded number a framework, each
// repeated until it is acknowledged.
//
// The statuses themselves are in the tasks' progress; here is only what a connection forgets: which
// are under way, and when they are sent again.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include "agent/core/task_table.h"
#include "agent/core/turn.h"
#include "common/base/time.h"
#include "common/model/ids.h"

namespace proffer::agent {

class StatusUpdates {
 public:
  // At most `most_in_flight` of a framework are under way.
  StatusUpdates(const TaskTable* tasks, int most_in_flight)
      : tasks_(tasks), most_in_flight_(most_in_flight) {}

  // The master has taken in all tasks: everything unacknowledged goes out at once.
  void Open(const Turn& turn, uint64_t link);
  void Close();

  // A status was added to `task`.
  void Added(const Turn& turn, const Task& task);
  // The oldest status of `task` was acknowledged and is removed; before what is next is sent.
  void Acknowledged(const Turn& turn, const Task& task);

  void Tick(const Turn& turn);
  Time NextDeadline() const;

  size_t in_flight() const { return flights_.size(); }

 private:
  struct Flight {
    Time resend_at;
    int64_t wait_ms = 0;
  };
  struct Window {
    int in_flight = 0;
    std::deque<model::AttemptId> waiting;
  };

  void SendOrWait(const Turn& turn, const Task& task);
  void Send(const Turn& turn, const Task& task);

  const TaskTable* const tasks_;
  const int most_in_flight_;
  uint64_t link_ = 0;  // 0: closed.
  std::map<model::AttemptId, Flight> flights_;
  std::set<std::pair<Time, model::AttemptId>> resends_;
  std::map<model::FrameworkId, Window> windows_;
  std::set<model::AttemptId> waiting_;  // Those in some window's queue.
};

}  // namespace proffer::agent
