// At-least-once delivery of statuses over a path that comes and goes.
#include "agent/core/status_updates.h"

#include <algorithm>

#include "common/base/limits.h"
#include "common/base/simulation.h"

namespace proffer::agent {
namespace {

// A task that ended behind an unacknowledged status: repeat that one soon, because it carries the
// newest state, on which the master frees the resources. Not at once: most acknowledgements are
// on their way already.
constexpr int64_t kEndedBehindMs = 1'000;

}  // namespace

void StatusUpdates::Open(const Turn& turn, uint64_t link) {
  Close();
  link_ = link;
  if (MUTANT("update-not-resent-on-new-path")) return;
  for (const auto& [attempt, task] : tasks_->all()) {
    if (!task.progress.unacknowledged.empty()) REACHED("a status is sent again on a new path");
    SendOrWait(turn, task);
  }
}

void StatusUpdates::Close() {
  link_ = 0;
  flights_.clear();
  resends_.clear();
  windows_.clear();
  waiting_.clear();
}

void StatusUpdates::Added(const Turn& turn, const Task& task) {
  if (link_ == 0) return;
  auto flight = flights_.find(task.attempt());
  if (flight == flights_.end()) return SendOrWait(turn, task);
  if (MUTANT("next-update-before-ack")) {
    turn.Send(task.record_seq, link_,
              model::AgentUpdate{task.launch->framework, task.progress.unacknowledged.back(),
                                 task.progress.state});
  }
  const Time soon = turn.now + kEndedBehindMs;
  if (task.terminal() && soon < flight->second.resend_at) {
    REACHED("the end of a task hurries the status before it");
    resends_.erase({flight->second.resend_at, task.attempt()});
    flight->second.resend_at = soon;
    resends_.emplace(soon, task.attempt());
  }
}

void StatusUpdates::Acknowledged(const Turn& turn, const Task& task) {
  if (link_ == 0) return;
  const model::AttemptId attempt = task.attempt();
  auto flight = flights_.find(attempt);
  if (flight == flights_.end()) return;
  resends_.erase({flight->second.resend_at, attempt});
  flights_.erase(flight);
  Window& window = windows_[task.launch->framework];
  --window.in_flight;
  // Those that wait come first, then this task's next one.
  SendOrWait(turn, task);
  while (!window.waiting.empty() && window.in_flight < most_in_flight_) {
    const model::AttemptId next = window.waiting.front();
    window.waiting.pop_front();
    waiting_.erase(next);
    if (const Task* other = tasks_->Find(next)) Send(turn, *other);
  }
  if (window.in_flight == 0 && window.waiting.empty()) windows_.erase(task.launch->framework);
}

void StatusUpdates::SendOrWait(const Turn& turn, const Task& task) {
  if (task.progress.unacknowledged.empty() || waiting_.count(task.attempt()) != 0) return;
  Window& window = windows_[task.launch->framework];
  if (!window.waiting.empty() || window.in_flight >= most_in_flight_) {
    REACHED("a status waits because many of its framework are under way");
    window.waiting.push_back(task.attempt());
    waiting_.insert(task.attempt());
    return;
  }
  Send(turn, task);
}

void StatusUpdates::Send(const Turn& turn, const Task& task) {
  if (task.progress.unacknowledged.empty()) return;
  auto [it, fresh] = flights_.try_emplace(task.attempt());
  Flight& flight = it->second;
  if (fresh) {
    ++windows_[task.launch->framework].in_flight;
    flight.wait_ms = limits::kUpdateResendMinMs;
  } else {
    REACHED("a status is sent again because nobody acknowledged it in time");
    resends_.erase({flight.resend_at, task.attempt()});
    flight.wait_ms = std::min(flight.wait_ms * 2, limits::kUpdateResendMaxMs);
  }
  flight.resend_at = turn.now + flight.wait_ms;
  if (MAYBE("repeat a status early")) flight.resend_at = turn.now + 1;
  resends_.emplace(flight.resend_at, task.attempt());
  if (fresh && MAYBE("send a status no sooner than its repetition")) return;
  // The newest state is told as well, so its record must be durable too.
  const uint64_t after_seq = MUTANT("update-before-checkpoint") ? 0 : task.record_seq;
  turn.Send(after_seq, link_,
            model::AgentUpdate{task.launch->framework, task.progress.unacknowledged.front(),
                               task.progress.state});
}

void StatusUpdates::Tick(const Turn& turn) {
  while (!resends_.empty() && resends_.begin()->first <= turn.now) {
    const Task* task = tasks_->Find(resends_.begin()->second);
    if (task == nullptr || task->progress.unacknowledged.empty()) {
      resends_.erase(resends_.begin());
      continue;
    }
    Send(turn, *task);
  }
}

Time StatusUpdates::NextDeadline() const {
  return resends_.empty() ? Time::Never() : resends_.begin()->first;
}

}  // namespace proffer::agent
