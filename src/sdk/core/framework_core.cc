// Carries messages between a scheduler's core and its queue.
#include "sdk/core/framework_core.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace proffer::sdk {
namespace {

Config BeginSuppressed(Config config, bool with_queue) {
  if (with_queue) config.suppressed_roles = config.framework.roles;
  return config;
}

}  // namespace

FrameworkCore::FrameworkCore(Config config, std::optional<TaskQueue::Options> queue)
    : scheduler_(BeginSuppressed(config, queue.has_value())) {
  if (queue) queue_.emplace(*std::move(queue), config.saved);
}

void FrameworkCore::Start(Time now, Output* output) {
  scheduler_.Start(now, &output->effects);
  Settle(now, output);
}

void FrameworkCore::Step(Time now, const Input& input, Output* output) {
  if (const auto* event = std::get_if<Event>(&input)) {
    scheduler_.Step(now, *event, &output->effects);
  } else if (!queue_ || scheduler_.stopped()) {
    return;
  } else if (const auto* submit = std::get_if<SubmitAsked>(&input)) {
    const absl::Status status = queue_->Submit(now, submit->handle, submit->task, &wanted_);
    if (!status.ok()) {
      TaskDone refused;
      refused.result.handle = submit->handle;
      refused.result.status.task = submit->task.id;
      refused.result.status.state = model::TaskState::kError;
      refused.result.status.reason = model::TaskReason::kInvalidTask;
      refused.result.status.message = std::string(status.message());
      output->notices.push_back(std::move(refused));
    }
  } else {
    const auto& kill = std::get<KillSubmittedAsked>(input);
    queue_->Kill(now, kill.handle, kill.grace_ms, &wanted_);
  }
  Settle(now, output);
}

void FrameworkCore::Tick(Time now, Output* output) {
  scheduler_.Tick(now, &output->effects);
  if (queue_ && !scheduler_.stopped()) queue_->Tick(now, &wanted_);
  Settle(now, output);
}

Time FrameworkCore::NextDeadline() const {
  if (!queue_ || scheduler_.stopped()) return scheduler_.NextDeadline();
  return std::min(scheduler_.NextDeadline(), queue_->NextDeadline());
}

void FrameworkCore::Settle(Time now, Output* output) {
  if (!queue_) return;
  std::vector<Delivery> told;
  do {
    for (Delivery& delivery : std::exchange(output->effects.deliveries, {})) {
      queue_->Take(now, delivery, &wanted_);
      if (std::holds_alternative<Ready>(delivery) ||
          std::holds_alternative<Disconnected>(delivery) ||
          std::holds_alternative<Reconciled>(delivery)) {
        told.push_back(std::move(delivery));
      }
    }
    for (const Event& event : std::exchange(wanted_.events, {})) {
      scheduler_.Step(now, event, &output->effects);
    }
  } while (!output->effects.deliveries.empty() || !wanted_.events.empty());
  output->effects.deliveries = std::move(told);
  std::move(wanted_.notices.begin(), wanted_.notices.end(), std::back_inserter(output->notices));
  wanted_.notices.clear();
}

}  // namespace proffer::sdk
