// The framework that only wants tasks run: runs, and the receiver behind them.
#include "proffer/framework.h"

#include <condition_variable>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/status.h"
#include "sdk/begin.h"
#include "sdk/driver_gate.h"
#include "sdk/task_output.h"
#include "sdk/translate.h"

namespace proffer {

// --- Runs ---

namespace {

// One who hears of statuses, each once and in order, whoever tells of the first one.
class StatusListener {
 public:
  explicit StatusListener(std::function<void(const TaskStatus&)> callback)
      : callback_(std::move(callback)) {}
  // `number` counts the statuses of the task from 1.
  void Tell(uint64_t number, const TaskStatus& status) {
    MutexLock lock(&mutex_);
    if (number <= told_) return;
    told_ = number;
    callback_(status);
  }

 private:
  Mutex mutex_;
  uint64_t told_ GUARDED_BY_MUTEX(mutex_) = 0;
  const std::function<void(const TaskStatus&)> callback_;
};

}  // namespace

struct Run::State {
  std::string task_id;
  uint64_t handle = 0;
  std::shared_ptr<sdk::DriverGate> gate;

  mutable Mutex mutex;
  mutable CondVar changed;
  std::optional<Result> result GUARDED_BY_MUTEX(mutex);  // Does not change once it is there.
  std::vector<std::function<void(const Result&)>> on_done GUARDED_BY_MUTEX(mutex);
  std::vector<std::shared_ptr<StatusListener>> on_status GUARDED_BY_MUTEX(mutex);
  uint64_t statuses GUARDED_BY_MUTEX(mutex) = 0;
  TaskStatus newest GUARDED_BY_MUTEX(mutex);  // If there are any.

  void Progress(const TaskStatus& status) {
    std::vector<std::shared_ptr<StatusListener>> listeners;
    uint64_t number = 0;
    {
      MutexLock lock(&mutex);
      number = ++statuses;
      newest = status;
      listeners = on_status;
    }
    for (const auto& listener : listeners) listener->Tell(number, status);
  }
  void End(Result end) {
    std::vector<std::function<void(const Result&)>> callbacks;
    const Result* there = nullptr;
    {
      MutexLock lock(&mutex);
      if (result) return;
      result = std::move(end);
      there = &*result;
      callbacks.swap(on_done);
      on_status.clear();
      changed.SignalAll();
    }
    for (const auto& callback : callbacks) callback(*there);
  }
};

const std::string& Run::task_id() const { return state_->task_id; }

bool Run::done() const {
  MutexLock lock(&state_->mutex);
  return state_->result.has_value();
}

const Result& Run::Wait() const {
  MutexLock lock(&state_->mutex);
  while (!state_->result) state_->changed.Wait(&state_->mutex);
  return *state_->result;
}

const Result* Run::WaitFor(std::chrono::milliseconds timeout) const {
  const Time until = BootTimeNow() + timeout.count();
  MutexLock lock(&state_->mutex);
  while (!state_->result) {
    const int64_t left_ms = until - BootTimeNow();
    if (left_ms <= 0) return nullptr;
    state_->changed.WaitFor(&state_->mutex, left_ms);
  }
  return &*state_->result;
}

void Run::OnDone(std::function<void(const Result&)> callback) const {
  const Result* there = nullptr;
  {
    MutexLock lock(&state_->mutex);
    if (!state_->result) {
      state_->on_done.push_back(std::move(callback));
      return;
    }
    there = &*state_->result;
  }
  callback(*there);
}

void Run::OnStatus(std::function<void(const TaskStatus&)> callback) const {
  const auto listener = std::make_shared<StatusListener>(std::move(callback));
  uint64_t number = 0;
  TaskStatus newest;
  {
    MutexLock lock(&state_->mutex);
    if (!state_->result) state_->on_status.push_back(listener);
    number = state_->statuses;
    newest = state_->newest;
  }
  if (number > 0) listener->Tell(number, newest);
}

void Run::Kill(std::optional<std::chrono::milliseconds> grace) const {
  sdk::KillSubmittedAsked kill{state_->handle, std::nullopt};
  if (grace) kill.grace_ms = grace->count();
  state_->gate->Post(kill);
}

// --- The framework ---

struct Framework::Inside final : sdk::Receiver {
  FrameworkOptions options;
  std::shared_ptr<LeaderFinder> leader;
  const std::shared_ptr<sdk::DriverGate> gate = std::make_shared<sdk::DriverGate>();
  std::unique_ptr<sdk::Driver> driver;

  mutable Mutex mutex;
  CondVar changed;
  uint64_t last_handle GUARDED_BY_MUTEX(mutex) = 0;
  std::map<uint64_t, std::shared_ptr<Run::State>> runs GUARDED_BY_MUTEX(mutex);
  std::string framework_id GUARDED_BY_MUTEX(mutex);
  std::optional<Stopped> stopped GUARDED_BY_MUTEX(mutex);
  std::string last_logged;  // Of the callback thread.

  void Log(const std::string& line) {
    // A master that is away is away the same way each time it is tried.
    if (options.log && line != last_logged) options.log(line);
    last_logged = line;
  }

  std::shared_ptr<Run::State> Find(uint64_t handle) {
    MutexLock lock(&mutex);
    auto it = runs.find(handle);
    return it == runs.end() ? nullptr : it->second;
  }
  void Forget(uint64_t handle) {
    MutexLock lock(&mutex);
    runs.erase(handle);
    changed.SignalAll();
  }

  void Take(const sdk::Delivery& delivery) override {
    if (const auto* ready = std::get_if<sdk::Ready>(&delivery)) {
      const std::string id = ready->subscribed.framework.value();
      {
        MutexLock lock(&mutex);
        framework_id = id;
      }
      if (!last_logged.empty()) Log(absl::StrCat("connected as ", id));
    } else if (const auto* gone = std::get_if<sdk::Disconnected>(&delivery)) {
      Log(absl::StrCat("no master: ", gone->reason, "; trying again"));
    }
  }

  void Take(const sdk::Notice& notice) override {
    if (const auto* progressed = std::get_if<sdk::TaskProgressed>(&notice)) {
      const std::shared_ptr<Run::State> run = Find(progressed->handle);
      if (run == nullptr) return;
      run->Progress(sdk::ToPublic(progressed->status));
    } else if (const auto* done = std::get_if<sdk::TaskDone>(&notice)) {
      const std::shared_ptr<Run::State> run = Find(done->result.handle);
      if (run == nullptr) return;
      run->End(ToResult(done->result));
      Forget(done->result.handle);
    }
  }

  void Take(const sdk::Stop& stop) override {
    std::map<uint64_t, std::shared_ptr<Run::State>> left;
    {
      MutexLock lock(&mutex);
      stopped = sdk::ToPublic(stop);
      left.swap(runs);
    }
    if (!sdk::ToPublic(stop).ok()) Log(absl::StrCat("stopped: ", stop.message));
    for (const auto& [handle, run] : left) {
      Result result;
      result.task_id = run->task_id;
      result.message = absl::StrCat("the framework stopped: ", stop.message);
      run->End(std::move(result));
    }
    MutexLock lock(&mutex);
    changed.SignalAll();
  }

  Result ToResult(const sdk::TaskResult& end) {
    const TaskStatus status = sdk::ToPublic(end.status);
    Result result;
    result.task_id = status.task_id;
    result.state = status.state;
    result.reason = status.reason;
    result.message = status.message;
    result.exit_code = status.exit_code;
    result.signal = status.signal;
    result.agent_id = status.agent_id;
    result.hostname = end.hostname;
    result.launches = end.launches;
    MutexLock lock(&mutex);
    result.source = std::make_shared<const Result::Source>(Result::Source{leader, framework_id});
    return result;
  }
};

Framework::Framework(std::shared_ptr<Inside> inside) : inside_(std::move(inside)) {}

absl::StatusOr<std::unique_ptr<Framework>> Framework::Start(FrameworkOptions options) {
  auto inside = std::make_shared<Inside>();
  ASSIGN_OR_RETURN(inside->leader, sdk::FindLeader(options));
  inside->options = std::move(options);
  ASSIGN_OR_RETURN(inside->driver,
                   sdk::MakeDriver(inside->options, sdk::TaskQueue::Options{inside->options.roles},
                                   inside->leader, inside.get()));
  inside->gate->Open(inside->driver.get());
  inside->driver->Begin();
  return std::unique_ptr<Framework>(new Framework(std::move(inside)));
}

Framework::~Framework() {
  constexpr int64_t kTeardownMs = 2'000;
  if (!sdk::IsDurable(inside_->options)) {
    inside_->driver->Post(sdk::Event(sdk::TeardownAsked{}));
    inside_->driver->WaitFor(kTeardownMs);
  }
  inside_->gate->Close();
  inside_->driver.reset();
}

Run Framework::Submit(const Task& task) {
  auto state = std::make_shared<Run::State>();
  state->task_id = task.id();
  state->gate = inside_->gate;
  std::string wrong(task.status().message());
  if (wrong.empty() && task.args().empty()) {
    wrong =
        absl::StrCat("task \"", task.name(), "\" has nothing to run; give it a Command or Args");
  }
  Result result;
  result.task_id = task.id();
  if (!wrong.empty()) {
    result.state = TaskState::kError;
    result.reason = TaskReason::kInvalidTask;
    result.message = std::move(wrong);
    state->End(std::move(result));
    return Run(state);
  }
  bool stopped = false;
  {
    MutexLock lock(&inside_->mutex);
    state->handle = ++inside_->last_handle;
    if (inside_->stopped) {
      stopped = true;
      result.message = absl::StrCat("the framework stopped: ", inside_->stopped->message);
    } else {
      inside_->runs[state->handle] = state;
    }
  }
  if (stopped) {
    state->End(std::move(result));
  } else {
    inside_->gate->Post(sdk::SubmitAsked{state->handle, sdk::ToQueued(task)});
  }
  return Run(state);
}

bool Framework::WaitAll() {
  MutexLock lock(&inside_->mutex);
  while (!inside_->runs.empty() && !inside_->stopped) inside_->changed.Wait(&inside_->mutex);
  return !inside_->stopped;
}

std::optional<Stopped> Framework::stopped() const {
  MutexLock lock(&inside_->mutex);
  return inside_->stopped;
}

std::string Framework::framework_id() const {
  MutexLock lock(&inside_->mutex);
  return inside_->framework_id;
}

}  // namespace proffer
