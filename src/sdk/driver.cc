// The threads around a framework's core.
#include "sdk/driver.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "common/base/clock.h"
#include "common/base/limits.h"
#include "common/base/status.h"

namespace proffer::sdk {
namespace {

// The longest wait for mail; a clock that was suspended is looked at again then.
constexpr int64_t kLongestWaitMs = 1'000;
constexpr int64_t kForeverMs = std::numeric_limits<int32_t>::max();
constexpr size_t kUnbounded = std::numeric_limits<size_t>::max();

}  // namespace

absl::StatusOr<std::unique_ptr<Driver>> Driver::Make(Config config,
                                                     std::optional<TaskQueue::Options> queue,
                                                     std::shared_ptr<StateStore> store,
                                                     std::unique_ptr<Transport> transport,
                                                     Receiver* receiver) {
  if (!config.framework.ephemeral) {
    ASSIGN_OR_RETURN(const auto entries, store->Load());
    ASSIGN_OR_RETURN(config.saved, ParseSavedState(entries));
  }
  std::unique_ptr<Driver> driver(new Driver(std::move(config), std::move(queue), std::move(store),
                                            std::move(transport), receiver));
  return driver;
}

Driver::Driver(Config config, std::optional<TaskQueue::Options> queue,
               std::shared_ptr<StateStore> store, std::unique_ptr<Transport> transport,
               Receiver* receiver)
    : core_(std::move(config), std::move(queue)),
      store_(std::move(store)),
      transport_(std::move(transport)),
      receiver_(receiver),
      inputs_(kUnbounded),
      callbacks_(kUnbounded),
      saves_(kUnbounded) {}

void Driver::Begin() {
  // What comes in is bounded by what the master has outstanding, and by the user.
  transport_->Begin([this](Event event) { inputs_.PushUrgent(Input(std::move(event))); });
  writer_ = std::thread([this] { WriteDown(); });
  caller_ = std::thread([this] { CallBack(); });
  decider_ = std::thread([this] { Decide(); });
}

Driver::~Driver() {
  if (!decider_.joinable()) return;  // Never began.
  Post(Event(LeaveAsked{}));
  decider_.join();
  caller_.join();
  writer_.join();
}

void Driver::Post(Input input) { inputs_.PushUrgent(std::move(input)); }

void Driver::Decide() {
  Output output;
  core_.Start(BootTimeNow(), &output);
  CarryOut(std::move(output));
  std::vector<Input> mail;
  while (!stopping_) {
    const Time next = std::min(core_.NextDeadline(), connect_at_);
    const int64_t wait_ms = next.IsNever()
                                ? kLongestWaitMs
                                : std::clamp<int64_t>(next - BootTimeNow(), 0, kLongestWaitMs);
    inputs_.TakeAll(wait_ms, &mail);
    const Time now = BootTimeNow();
    for (const Input& input : mail) {
      const auto* event = std::get_if<Event>(&input);
      // What made the core want another one was said before it could know of this.
      if (event != nullptr && std::holds_alternative<StreamUp>(*event)) {
        connect_at_ = Time::Never();
      }
      Output stepped;
      core_.Step(now, input, &stepped);
      CarryOut(std::move(stepped));
      if (stopping_) break;
    }
    if (stopping_) break;
    if (core_.NextDeadline() <= now) {
      Output ticked;
      core_.Tick(now, &ticked);
      CarryOut(std::move(ticked));
    }
    if (connect_at_ <= now && !stopping_) {
      connect_at_ = Time::Never();
      transport_->Open(++stream_, greeting_ms_);
    }
  }
  inputs_.Close();
  saves_.Close();
  callbacks_.Close();
}

void Driver::CarryOut(Output output) {
  Effects& effects = output.effects;
  for (Save& save : effects.saves) saves_.PushUrgent(std::move(save));
  if (effects.drop_stream) {
    // One that is being opened has no number for the core yet.
    transport_->Close(effects.drop_stream->stream != 0 ? effects.drop_stream->stream : stream_);
    connect_at_ = Time::Never();
  }
  bool broken = false;
  for (const SendCall& call : effects.calls) {
    if (broken || transport_->Send(call.stream, call.call)) continue;
    broken = true;
    transport_->Close(call.stream);
    inputs_.PushUrgent(Input(Event(StreamDown{call.stream, "the connection takes no more"})));
  }
  for (Delivery& delivery : effects.deliveries)
    callbacks_.PushUrgent(Callback(std::move(delivery)));
  for (Notice& notice : output.notices) callbacks_.PushUrgent(Callback(std::move(notice)));
  if (effects.connect) {
    connect_at_ = BootTimeNow() + effects.connect->delay_ms;
    greeting_ms_ = effects.connect->greeting_ms;
  }
  if (effects.stop) {
    callbacks_.PushUrgent(Callback(*std::move(effects.stop)));
    stopping_ = true;
  }
}

void Driver::CallBack() {
  std::vector<Callback> todo;
  while (callbacks_.TakeAll(kForeverMs, &todo)) {
    for (const Callback& callback : todo) {
      if (const auto* delivery = std::get_if<Delivery>(&callback)) {
        const auto* update = std::get_if<Update>(delivery);
        if (update == nullptr || !update->duplicate) receiver_->Take(*delivery);
        if (update != nullptr) Post(Event(UpdateHandled{update->number}));
      } else if (const auto* notice = std::get_if<Notice>(&callback)) {
        receiver_->Take(*notice);
        const auto* done = std::get_if<TaskDone>(notice);
        if (done != nullptr && done->update != 0) Post(Event(UpdateHandled{done->update}));
      } else {
        const Stop& stop = std::get<Stop>(callback);
        receiver_->Take(stop);
        MutexLock lock(&mutex_);
        stopped_ = stop;
        stopped_changed_.SignalAll();
      }
    }
  }
}

void Driver::WriteDown() {
  std::vector<Save> todo;
  while (saves_.TakeAll(kForeverMs, &todo)) {
    std::vector<StateChange> changes;
    for (Save& save : todo) {
      for (Change& change : save.changes) {
        changes.push_back({std::move(change.key), std::move(change.value)});
      }
    }
    if (changes.empty()) continue;
    if (const absl::Status status = store_->Write(changes); !status.ok()) {
      Post(Event(StoreFailed{Annotate(status, "the state store failed").ToString()}));
      return;
    }
    Post(Event(Saved{todo.back().seq}));
  }
}

Stop Driver::Wait() {
  MutexLock lock(&mutex_);
  while (!stopped_) stopped_changed_.Wait(&mutex_);
  return *stopped_;
}

bool Driver::WaitFor(int64_t timeout_ms) {
  const Time until = BootTimeNow() + timeout_ms;
  MutexLock lock(&mutex_);
  while (!stopped_) {
    const int64_t left_ms = until - BootTimeNow();
    if (left_ms <= 0) return false;
    stopped_changed_.WaitFor(&mutex_, left_ms);
  }
  return true;
}

}  // namespace proffer::sdk
