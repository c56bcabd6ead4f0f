// Frameworks that want tasks run and nothing else: hand tasks in, hear how they ended.
//
//   auto framework = proffer::Framework::FromArgs(argc, argv, {.name = "hello"});
//   proffer::Run run = framework->Submit(proffer::Task{"hello"}.Command("echo hello").Cpus(0.1));
//   const proffer::Result& result = run.Wait();
//
// Behind it a queue takes from offers what the oldest tasks that fit want, declares what it wants
// to the master, asks for no offers while it has nothing to place, and launches again (as
// "hello.r2",
// ...) what was never started. With a state store, tasks of a former life are taken up by
// submitting them again under the same id: they are not run twice.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "proffer/options.h"
#include "proffer/status.h"
#include "proffer/task.h"

namespace proffer {

// How a task ended.
struct Result {
  std::string task_id;  // Of its last launch.
  // FINISHED, FAILED, KILLED, ERROR, GONE, GONE_BY_OPERATOR; UNKNOWN if the cluster forgot it, or
  // if the framework stopped first (`message` says so).
  TaskState state = TaskState::kUnknown;
  TaskReason reason = TaskReason::kNone;
  std::string message;
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::string agent_id;
  std::string hostname;
  int launches = 0;

  bool ok() const { return state == TaskState::kFinished; }
  // As a shell has it: the exit code, 128 + signal, or 125 if it came to no end of its own.
  int ExitStatus() const;

  // The last `max_bytes` of its output, read from its agent through the master. Blocks, at most
  // 10 s. UNAVAILABLE: agent or master cannot be reached; NOT_FOUND: removed already.
  absl::StatusOr<std::string> Stdout(int64_t max_bytes = 64 << 10) const;
  absl::StatusOr<std::string> Stderr(int64_t max_bytes = 64 << 10) const;

  struct Source;                         // Of the SDK.
  std::shared_ptr<const Source> source;  // Where the output is to be had.
};

// One submitted task. Copies speak of the same one; it may outlive the framework.
// THREAD: any.
class Run {
 public:
  const std::string& task_id() const;  // As submitted.
  bool done() const;
  // Until it has ended, or the framework has stopped.
  const Result& Wait() const;
  // The same, but at most so long; null: not yet.
  const Result* WaitFor(std::chrono::milliseconds timeout) const;
  // Calls back once with the result, on the framework's thread, or at once if it is there. The end
  // is acknowledged to the cluster when the callback has returned.
  void OnDone(std::function<void(const Result&)> callback) const;
  // Calls back with each status that is not the last, on the framework's thread; and at once with
  // the newest one if there was one already, whatever has become of the task since.
  void OnStatus(std::function<void(const TaskStatus&)> callback) const;
  // The grace may be shorter than the task's own.
  void Kill(std::optional<std::chrono::milliseconds> grace = std::nullopt) const;

  struct State;  // Of the SDK.
  explicit Run(std::shared_ptr<State> state) : state_(std::move(state)) {}

 private:
  std::shared_ptr<State> state_;
};

// THREAD: any.
class Framework {
 public:
  // Reads --master=ADDRESS, --role=ROLE[,ROLE...], --state=FILE and --on_removed=fail|new_id into
  // the options and logs to stderr if `log` is not set. Arguments that are none of these are left
  // to the program. If anything is wrong, says so on stderr and ends the program with exit code 2.
  static std::unique_ptr<Framework> FromArgs(int argc, char** argv, FrameworkOptions options);
  // INVALID_ARGUMENT: the options; NOT_FOUND: no master is named anywhere; what the state store
  // says when it cannot be loaded. Connecting goes on in the background.
  static absl::StatusOr<std::unique_ptr<Framework>> Start(FrameworkOptions options);
  // A durable framework disconnects, and its tasks live on. Any other is torn down first (at most
  // 2 s are spent on it). Runs that have not ended become UNKNOWN.
  ~Framework();

  // Never blocks. A task that is wrong ends with state ERROR and a message. The id of a task that
  // has not ended may not be used again.
  Run Submit(const Task& task);
  // Until every submitted task has ended. False: the framework stopped first.
  bool WaitAll();

  // Why it stopped for good, if it did.
  std::optional<Stopped> stopped() const;
  // Empty until it was connected once.
  std::string framework_id() const;

  struct Inside;  // Of the SDK.

 private:
  explicit Framework(std::shared_ptr<Inside> inside);
  std::shared_ptr<Inside> inside_;
};

}  // namespace proffer
