// Reading back what a former life of the agent wrote.
#include "agent/core/recovery.h"

#include <map>
#include <memory>
#include <utility>

#include "common/base/simulation.h"

namespace proffer::agent {

Recovery::Recovery(const std::vector<Record>& records, TaskTable* table, Tasks* tasks)
    : table_(table), tasks_(tasks) {
  std::map<model::AttemptId, Task> recovered;
  for (const Record& record : records) {
    if (const auto* identity = std::get_if<IdentityRecord>(&record)) {
      identity_ = *identity;
    } else if (const auto* launch = std::get_if<TaskRecord>(&record)) {
      Task task;
      task.launch = std::make_shared<const model::LaunchTask>(launch->launch);
      task.progress = launch->progress;
      recovered[launch->launch.attempt] = std::move(task);
    } else if (const auto* tombstone = std::get_if<Tombstone>(&record)) {
      table->RecoverTombstone(tombstone->attempt);
    }
  }
  for (const Record& record : records) {
    const auto* progress = std::get_if<ProgressRecord>(&record);
    if (progress == nullptr) continue;
    auto task = recovered.find(progress->attempt);
    if (task != recovered.end()) task->second.progress = progress->progress;
  }
  for (auto& [attempt, task] : recovered) {
    if ((task.progress.started || task.terminal()) && task.launch->task.payload != nullptr) {
      auto slim = std::make_shared<model::LaunchTask>(*task.launch);
      slim->task.payload = nullptr;
      task.launch = std::move(slim);
    }
    tasks->Adopt(std::move(task));
  }
}

void Recovery::Start(const Turn& turn, const std::string& boot_id) {
  started_ = true;
  if (identity_.has_value() && identity_->boot_id != boot_id && !MUTANT("reboot-unseen")) {
    REACHED("an agent recovers after a reboot");
    tasks_->Rebooted(turn);
  }
  KeepContainers keep;
  for (const auto& [attempt, task] : table_->all()) {
    if (!task.progress.started && MUTANT("recovery-kills-the-starting")) continue;
    (task.terminal() ? keep.ended : keep.attempts).push_back(attempt);
  }
  turn.Command(0, std::move(keep));
  if (!identity_.has_value()) return;  // It never ran.
  for (const auto& [attempt, task] : table_->all()) {
    if (task.terminal()) continue;
    missing_.insert(attempt);
    turn.Command(0, RecoverContainer{task.launch, identity_->agent});
  }
}

bool Recovery::Answered(const model::AttemptId& attempt) {
  return missing_.erase(attempt) != 0 && missing_.empty();
}

}  // namespace proffer::agent
