// A queue of tasks on top of a scheduler's core: whoever only wants things run hands them in and
// hears how they ended.
//
// It takes from offers what the oldest tasks that fit want, declines the rest with a reason,
// declares the demand (grouped by role, shape and constraints; one declaration in flight at most),
// suppresses offers while it has nothing to place, and launches again, under a new task id, what
// was never started. Tasks of a former life, found in the saved state, are taken up by submitting
// them under the same id.
//
// Pure and single-threaded, like the core, whose deliveries it takes.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "common/base/time.h"
#include "sdk/core/effects.h"
#include "sdk/core/events.h"

namespace proffer::sdk {

// What is handed in. Everything but the concrete resources and ids of a launch.
struct QueuedTask {
  model::TaskId id;  // Of the first launch; later ones get ".2", ".3", ... appended.
  std::string name;  // For people.
  std::string role;  // Empty: the framework's first.
  Quantities shape;
  Constraints constraints;
  model::Payload payload;
  int64_t kill_grace_ms = 0;
  int64_t max_run_time_ms = 0;
  int64_t stop_after_disconnect_ms = 0;
};

// How a task ended.
struct TaskResult {
  uint64_t handle = 0;
  model::TaskStatus status;  // The last one; of the last launch.
  std::string hostname;      // Where the last launch was; empty if there was none or is unknown.
  int launches = 0;
};

// --- Notices to the user ---

struct TaskPlaced {  // An agent was chosen; the launch is on its way.
  uint64_t handle = 0;
  model::TaskId task;
  std::string hostname;
};
struct TaskProgressed {  // A status that is not the last.
  uint64_t handle = 0;
  model::TaskStatus status;
};
struct TaskDone {
  TaskResult result;
  uint64_t update = 0;  // The update to report as handled afterwards; 0: none.
};
using Notice = std::variant<TaskPlaced, TaskProgressed, TaskDone>;

class TaskQueue {
 public:
  struct Options {
    std::vector<std::string> roles;  // The framework's.
    // Between a task's launches that came to nothing, doubling, from the second on.
    int64_t retry_min_ms = 1'000;
    int64_t retry_max_ms = 60'000;
    // An end that nobody has claimed for so long is acknowledged all the same.
    int64_t claim_within_ms = 60'000;
  };
  // What the queue wants: events for the core, in order, and notices.
  struct Output {
    std::vector<Event> events;
    std::vector<Notice> notices;
  };

  TaskQueue(Options options, const SavedState& saved);

  // INVALID_ARGUMENT with a sentence: what the cluster would refuse. ALREADY_EXISTS: the id is
  // that of a task in the queue. `handle` is a number of the caller's choice, counting up.
  absl::Status Submit(Time now, uint64_t handle, QueuedTask task, Output* output);
  // Ends a task wherever it is; its result follows. Nothing for one that has ended.
  void Kill(Time now, uint64_t handle, std::optional<int64_t> grace_ms, Output* output);
  // Takes one of the core's deliveries in.
  void Take(Time now, const Delivery& delivery, Output* output);
  void Tick(Time now, Output* output);
  Time NextDeadline() const;

  size_t waiting() const { return waiting_; }
  size_t unfinished() const { return tasks_.size(); }

 private:
  struct Entry {
    uint64_t handle = 0;
    QueuedTask task;
    std::string group;  // The key of its group.
    int launches = 0;
    int setbacks = 0;       // Of these, came to nothing by more than an offer's end.
    bool placed = false;    // Launched and not ended.
    bool evidence = false;  // Some status said that an agent has taken the launch up.
    bool kill_wanted = false;
    Time rests_until = Time::Never();  // Waits before it tries again.
    model::TaskId launch;              // The task id of the present launch.
    std::string hostname;
  };
  // Tasks that wait and are placed alike.
  struct Group {
    std::string role;
    Quantities shape;
    Constraints constraints;
    std::set<uint64_t> waiting;  // By handle: the oldest first.
  };

  void Enqueue(Entry* entry);
  void Dequeue(Entry* entry);
  // A launch came to nothing: waits a little if that is a habit, then tries again. Offers end for
  // reasons that have nothing to do with the task, and the next one comes when it comes: whoever
  // used one a moment too late does not wait.
  void Retry(Time now, Entry* entry, bool offer_was_stale, Output* output);
  void Place(Time now, const model::Offer& offer, Output* output);
  void TakeAnswer(Time now, const CallDone& done, Output* output);
  void TakeUpdate(Time now, const Update& update, Output* output);
  void End(Entry* entry, model::TaskStatus status, uint64_t update, Output* output);
  // An offer came to nothing. The master has counted down what is wanted when it made it, so that
  // is to be said again even if it has not changed.
  void Correct();
  // Says what is wanted, if that has changed.
  void Declare(Output* output);
  std::vector<model::Demand> Demands() const;
  model::DeclineReason WhyNot(const model::Offer& offer) const;

  const Options options_;
  std::map<uint64_t, Entry> tasks_;            // By handle; not those that have ended.
  std::map<model::TaskId, uint64_t> by_task_;  // The id submitted -> handle.
  std::map<std::string, Group> groups_;
  size_t waiting_ = 0;  // In groups.
  std::set<std::pair<Time, uint64_t>> resting_;
  uint64_t last_request_ = 0;

  // Of a former life: launched, not submitted again yet. By the id they were submitted under.
  std::map<model::TaskId, model::TaskId> unclaimed_;  // -> the id of the launch.
  // Those that have ended meanwhile. Not acknowledged before the user knows: were this process to
  // die, the next one would take the task for one that was never run.
  struct UnclaimedEnd {
    model::TaskStatus status;
    uint64_t update = 0;  // 0: reported as handled.
  };
  std::map<model::TaskId, UnclaimedEnd> unclaimed_ends_;
  std::deque<std::pair<Time, model::TaskId>> claim_until_;

  bool suppressed_ = true;           // As the framework begins.
  std::vector<model::Demand> said_;  // As last declared.
  bool ever_said_ = false;
  uint64_t saying_ = 0;  // The declaration in flight.
};

}  // namespace proffer::sdk
