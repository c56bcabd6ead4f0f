// The questions after a subscription, and when to repeat them.
#include "sdk/core/reconciler.h"

#include <algorithm>

#include "common/base/simulation.h"

namespace proffer::sdk {
namespace {

// Well below limits::kTasksPerReconcile, so that one question is a small message.
constexpr size_t kTasksPerQuestion = 1000;

}  // namespace

void Reconciler::Begin(Time now, const TaskTable& tasks) {
  Reset();
  for (const auto& [id, task] : tasks.rows()) {
    if (!task.final_told) to_ask_[id] = task.agent;
  }
  phase_ = to_ask_.empty() ? Phase::kStrangers : Phase::kByName;
  due_ = now;
}

void Reconciler::AskAbout(Time now, const TaskTable& tasks, const model::AgentId& agent) {
  bool any = false;
  for (const auto& [id, task] : tasks.rows()) {
    if (task.final_told || task.agent != agent) continue;
    REACHED("an agent is back and its tasks are asked about");
    to_ask_[id] = task.agent;
    any = true;
  }
  if (!any) return;
  // What is being asked already goes on; its answers lead to these questions.
  phase_ = Phase::kByName;
  if (open_.empty()) due_ = now;
}

void Reconciler::Reset() {
  phase_ = Phase::kIdle;
  just_done_ = false;
  rounds_ = 0;
  due_ = Time::Never();
  to_ask_.clear();
  ask_strangers_again_ = false;
  open_.clear();
}

std::vector<model::Reconcile> Reconciler::TakeDue(Time now, const TaskTable& tasks) {
  std::vector<model::Reconcile> questions;
  if (due_ > now) return questions;
  due_ = Time::Never();
  if (phase_ == Phase::kByName) {
    for (const auto& [id, agent] : to_ask_) {
      auto row = tasks.rows().find(id);
      if (row == tasks.rows().end() || row->second.final_told) continue;
      if (questions.empty() || questions.back().tasks.size() == kTasksPerQuestion ||
          MAYBE("ask about one task at a time")) {
        questions.emplace_back();
      }
      questions.back().tasks.push_back({id, agent});
    }
    to_ask_.clear();
    if (!questions.empty()) return questions;
    phase_ = Phase::kStrangers;
  }
  if (phase_ == Phase::kStrangers) questions.emplace_back();  // Names none: all.
  return questions;
}

void Reconciler::Asked(uint64_t call_id, const model::Reconcile& question) {
  open_[call_id] = question;
}

const model::Reconcile* Reconciler::Question(uint64_t call_id) const {
  auto it = open_.find(call_id);
  return it == open_.end() ? nullptr : &it->second;
}

bool Reconciler::Answered(Time now, const model::CallResult& result, Prng* prng) {
  auto it = open_.find(result.call_id);
  if (it == open_.end()) return false;
  std::map<model::TaskId, model::AgentId> asked;
  for (const model::Reconcile::Task& task : it->second.tasks) asked[task.task] = task.agent;
  open_.erase(it);
  for (const model::CallResult::Item& item : result.items) {
    if (item.outcome.refusal != model::Refusal::kNotKnownYet) continue;
    REACHED("a scheduler asks again because the leader does not know yet");
    if (asked.empty()) {
      ask_strangers_again_ = true;
    } else if (auto one = asked.find(model::TaskId(item.id)); one != asked.end()) {
      to_ask_.insert(*one);
    } else {
      to_ask_.insert(asked.begin(), asked.end());  // Said of the question as a whole.
    }
  }
  if (open_.empty()) Continue(now, prng);
  return true;
}

void Reconciler::Continue(Time now, Prng* prng) {
  if (!to_ask_.empty() || ask_strangers_again_) {
    ask_strangers_again_ = false;
    const int64_t ceiling = std::min(max_ms_, min_ms_ << std::min(rounds_++, 20));
    due_ = now + prng->Between(ceiling / 2, ceiling);
    return;
  }
  rounds_ = 0;
  if (phase_ == Phase::kByName) {
    phase_ = Phase::kStrangers;
    due_ = now;
  } else {
    phase_ = Phase::kIdle;
    just_done_ = true;
  }
}

}  // namespace proffer::sdk
