#include "sim/witness.h"

#include "absl/strings/str_cat.h"

namespace proffer::sim {
namespace {

using model::TaskState;

// Words about a process of ours that must have existed and be no more.
bool ClaimsEnd(TaskState state) {
  return state == TaskState::kFinished || state == TaskState::kFailed ||
         state == TaskState::kKilled || state == TaskState::kGone;
}

}  // namespace

void Witness::Started(const model::AttemptId& attempt, const model::TaskId& task) {
  if (life_.count(attempt) > 0) {
    world_->Violation(absl::StrCat("T1: attempt ", attempt.ToString(), " of task ", task.value(),
                                   " was started twice"));
  }
  life_[attempt] = {};
}

void Witness::Ended(const model::AttemptId& attempt) { life_[attempt].ended = true; }

void Witness::Told(const model::FrameworkId& framework, const model::TaskStatus& status) {
  if (!status.attempt.valid() || status.reason == model::TaskReason::kReconciled) return;
  const auto life = life_.find(status.attempt);
  const bool lives = life != life_.end() && !life->second.ended;
  if (ClaimsEnd(status.state) && lives) {
    world_->Violation(
        absl::StrCat("T3: ", framework.value(), " was told that task ", status.task.value(), " is ",
                     std::string(model::TaskStateName(status.state)), " while it lives"));
  }
  if (status.state == TaskState::kDropped && life != life_.end()) {
    world_->Violation(absl::StrCat("T3: task ", status.task.value(),
                                   " was called DROPPED although it was started"));
  }
  if (status.state == TaskState::kRunning && life == life_.end()) {
    world_->Violation(absl::StrCat("T4: task ", status.task.value(),
                                   " was called RUNNING although it never started"));
  }
  TaskState& last = last_word_[status.attempt];
  if (model::IsTerminal(last) && model::IsTerminal(status.state) && last != status.state) {
    world_->Violation(absl::StrCat("T6: task ", status.task.value(), " was ",
                                   std::string(model::TaskStateName(last)), " and then ",
                                   std::string(model::TaskStateName(status.state))));
  }
  if (!model::IsTerminal(last)) last = status.state;
}

void Witness::Result(const std::string& framework, uint64_t handle,
                     const model::TaskStatus& status) {
  auto [it, first] = results_.insert({{framework, handle}, status.state});
  if (!first && it->second != status.state) {
    world_->Violation(absl::StrCat("T6: task ", handle, " of ", framework, " ended as ",
                                   std::string(model::TaskStateName(it->second)), " and as ",
                                   std::string(model::TaskStateName(status.state))));
  }
}

int64_t Witness::living() const {
  int64_t living = 0;
  for (const auto& [attempt, life] : life_) living += life.ended ? 0 : 1;
  return living;
}

}  // namespace proffer::sim
