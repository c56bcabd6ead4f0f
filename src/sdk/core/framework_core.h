// A scheduler's core and, if wanted, a queue of tasks on top of it, as one function of events.
//
// Without a queue the core's deliveries go to the user as they are. With one the queue takes
// offers, statuses and answers, and what is left for the user are its notices; Ready, Disconnected
// and Reconciled are still told.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "sdk/core/scheduler_core.h"
#include "sdk/core/task_queue.h"

namespace proffer::sdk {

// A task is handed in; how it ended is told by TaskDone, also when it is refused at once.
struct SubmitAsked {
  uint64_t handle = 0;
  QueuedTask task;
};
struct KillSubmittedAsked {
  uint64_t handle = 0;
  std::optional<int64_t> grace_ms;
};
using Input = std::variant<Event, SubmitAsked, KillSubmittedAsked>;

struct Output {
  Effects effects;
  std::vector<Notice> notices;
};

class FrameworkCore {
 public:
  // With a queue all roles begin suppressed.
  FrameworkCore(Config config, std::optional<TaskQueue::Options> queue);

  void Start(Time now, Output* output);
  void Step(Time now, const Input& input, Output* output);
  void Tick(Time now, Output* output);
  Time NextDeadline() const;

  const SchedulerCore& scheduler() const { return scheduler_; }
  const TaskQueue* queue() const { return queue_ ? &*queue_ : nullptr; }

 private:
  // Lets core and queue talk to each other until both have nothing more to say.
  void Settle(Time now, Output* output);

  SchedulerCore scheduler_;
  std::optional<TaskQueue> queue_;
  TaskQueue::Output wanted_;
};

}  // namespace proffer::sdk
