// The meaning of each record, as the change it makes to a set of them.
#include "agent/core/records.h"

namespace proffer::agent {

void RecordSet::Apply(const Record& record) {
  if (const auto* identity = std::get_if<IdentityRecord>(&record)) {
    identity_ = *identity;
  } else if (const auto* task = std::get_if<TaskRecord>(&record)) {
    tasks_[task->launch.attempt] = *task;
  } else if (const auto* progress = std::get_if<ProgressRecord>(&record)) {
    progress_[progress->attempt] = *progress;
  } else if (const auto* tombstone = std::get_if<Tombstone>(&record)) {
    tasks_.erase(tombstone->attempt);
    progress_.erase(tombstone->attempt);
    tombstones_.insert(tombstone->attempt);
  } else if (const auto* dropped = std::get_if<TombstonesDropped>(&record)) {
    for (const model::AttemptId& attempt : dropped->attempts) tombstones_.erase(attempt);
  }
}

std::vector<Record> RecordSet::All() const {
  std::vector<Record> all;
  if (identity_.has_value()) all.emplace_back(*identity_);
  for (const auto& [attempt, task] : tasks_) all.emplace_back(task);
  for (const auto& [attempt, progress] : progress_) all.emplace_back(progress);
  for (const model::AttemptId& attempt : tombstones_) all.emplace_back(Tombstone{attempt});
  return all;
}

}  // namespace proffer::agent
