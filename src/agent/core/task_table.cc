// The table of attempts.
#include "agent/core/task_table.h"

#include <utility>

#include "glog/logging.h"

namespace proffer::agent {

Task* TaskTable::Find(const model::AttemptId& attempt) {
  auto it = tasks_.find(attempt);
  return it == tasks_.end() ? nullptr : &it->second;
}

const Task* TaskTable::Find(const model::AttemptId& attempt) const {
  auto it = tasks_.find(attempt);
  return it == tasks_.end() ? nullptr : &it->second;
}

Task* TaskTable::Insert(Task task) {
  const model::AttemptId attempt = task.attempt();
  by_framework_[task.launch->framework].insert(attempt);
  auto [it, inserted] = tasks_.emplace(attempt, std::move(task));
  CHECK(inserted) << "attempt " << attempt << " is known already";
  return &it->second;
}

void TaskTable::Forget(const Turn& turn, const model::AttemptId& attempt) {
  auto it = tasks_.find(attempt);
  CHECK(it != tasks_.end()) << "attempt " << attempt << " is not known";
  auto framework = by_framework_.find(it->second.launch->framework);
  framework->second.erase(attempt);
  if (framework->second.empty()) by_framework_.erase(framework);
  tasks_.erase(it);
  tombstones_.insert(attempt);
  turn.Write(Tombstone{attempt});
  if (tombstones_.size() > kTombstones) {
    turn.Write(TombstonesDropped{{*tombstones_.begin()}});
    tombstones_.erase(tombstones_.begin());
  }
}

void TaskTable::DropTombstonesBefore(const Turn& turn, uint64_t epoch) {
  TombstonesDropped dropped;
  const auto end = tombstones_.lower_bound(model::AttemptId{epoch, 0});
  dropped.attempts.assign(tombstones_.begin(), end);
  if (dropped.attempts.empty()) return;
  tombstones_.erase(tombstones_.begin(), end);
  turn.Write(std::move(dropped));
}

std::vector<model::AttemptId> TaskTable::OfFramework(const model::FrameworkId& framework) const {
  auto it = by_framework_.find(framework);
  if (it == by_framework_.end()) return {};
  return {it->second.begin(), it->second.end()};
}

}  // namespace proffer::agent
