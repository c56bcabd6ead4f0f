#include "sim/nodes/framework_node.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/convert/scheduler.h"
#include "sim/world/bytes.h"

namespace proffer::sim {

FrameworkNode::FrameworkNode(World* world, Network* network, Ensemble* ensemble,
                             const Observers* observers, std::string name, User* user)
    : Process(world, network, std::move(name)),
      ensemble_(ensemble),
      observers_(observers),
      user_(user) {}

void FrameworkNode::OnStart() {
  user_->owner = this;
  user_->owner_name = name();
  sdk::Config config;
  config.framework.name = user_->name;
  config.framework.roles = {user_->role};
  config.framework.failover_timeout_ms = user_->failover_timeout_ms;
  config.seed = world().prng().Next();
  config.on_removed = sdk::OnRemoved::kNewId;
  config.offer_hold_ms = user_->offer_hold_ms;
  absl::StatusOr<sdk::SavedState> saved = sdk::ParseSavedState(user_->saved);
  if (!saved.ok()) {
    world().Violation(absl::StrCat("the saved state cannot be read: ", saved.status().ToString()));
    return;
  }
  config.saved = *saved;
  alarm_at_ = Time::Never();
  stream_ = 0;
  sdk::TaskQueue::Options queue;
  queue.roles = {user_->role};
  core_ = std::make_unique<sdk::FrameworkCore>(std::move(config), std::move(queue));
  sdk::Output output;
  core_->Start(Now(), &output);
  CarryOut(output);
  // The user hands in again whatever they do not know to have ended.
  for (uint64_t handle = 1; handle <= user_->tasks.size(); ++handle) {
    if (user_->ended.count(handle) > 0) continue;
    int64_t due = 1'000 + user_->tasks[handle - 1].submit_after_ms;
    if (user_->late_by_ms > 0) {
      due = std::max(due, world().now().ms) + world().prng().Between(0, user_->late_by_ms);
    }
    if (due <= world().now().ms) {
      Submit(handle);
    } else {
      After(due - world().now().ms, [this, handle] { Submit(handle); });
    }
  }
  if (user_->tearing_down) TearDown();
}

void FrameworkNode::OnCrash() {
  observers_->Show(&Observer::SchedulerDied, name());
  core_.reset();
  if (wire_ != nullptr) wire_->Die(Wire::kClient);
  wire_.reset();
}

void FrameworkNode::Submit(uint64_t handle) {
  const SimTask& wanted = user_->tasks[handle - 1];
  sdk::QueuedTask task;
  task.id = model::TaskId(absl::StrCat(user_->name, "-", handle));
  task.shape = wanted.shape;
  task.payload = std::make_shared<const std::string>(wanted.program.ToPayload());
  task.kill_grace_ms = wanted.kill_grace_ms;
  task.max_run_time_ms = wanted.max_run_ms;
  task.stop_after_disconnect_ms = wanted.stop_after_disconnect_ms;
  Step(sdk::SubmitAsked{handle, std::move(task)});
}

void FrameworkNode::KillOne() {
  if (core_ == nullptr || paused()) return;
  for (uint64_t handle = 1; handle <= user_->tasks.size(); ++handle) {
    if (user_->ended.count(handle) > 0 || user_->kill_asked[handle]) continue;
    if (!world().prng().Chance(1, 3)) continue;
    return Kill(handle);
  }
}

void FrameworkNode::Kill(uint64_t handle) {
  user_->kill_asked[handle] = true;
  Step(sdk::KillSubmittedAsked{handle, std::nullopt});
  // Some lose patience.
  if (!world().prng().Chance(1, 3)) return;
  After(world().prng().Between(0, 1'000),
        [this, handle, grace_ms = world().prng().Between(0, 200)] {
          Step(sdk::KillSubmittedAsked{handle, grace_ms});
        });
}

void FrameworkNode::TearDown() {
  user_->tearing_down = true;
  Step(sdk::Event(sdk::TeardownAsked{}));
}

void FrameworkNode::Step(const sdk::Input& input) {
  if (core_ == nullptr) return;
  sdk::Output output;
  core_->Step(Now(), input, &output);
  CarryOut(output);
}

void FrameworkNode::ScheduleTick() {
  const Time when = std::max(core_->NextDeadline(), Now());
  if (when.IsNever() || when >= alarm_at_) return;
  alarm_at_ = when;
  Later(when - Now(), [this, number = ++alarm_] {
    if (number != alarm_) return;
    alarm_at_ = Time::Never();
    sdk::Output output;
    core_->Tick(Now(), &output);
    CarryOut(output);
  });
}

void FrameworkNode::CarryOut(sdk::Output& output) {
  sdk::Effects& effects = output.effects;
  for (const sdk::Save& save : effects.saves) {
    if (DiesHere()) return;
    Save(save);
  }
  if (effects.drop_stream && wire_ != nullptr) {
    wire_->Die(Wire::kClient);
    wire_.reset();
    stream_ = 0;
  }
  for (const sdk::SendCall& send : effects.calls) {
    if (wire_ == nullptr || send.stream != stream_) continue;
    if (DiesHere()) return;
    if (wire_->foreign) {
      observers_->Show(&Observer::SchedulerToldForeigner, name(), send.call);
    } else {
      observers_->Show(&Observer::SchedulerTold, name(), *wire_, send.call);
    }
    v1::SchedulerCall call;
    convert::ToProto(send.call, &call);
    std::string bytes = BytesOf(call);
    world().Trace(name(), bytes, [&] { return call.ShortDebugString(); });
    wire_->Send(Wire::kClient, std::move(bytes));
  }
  // The user's callbacks: statuses of strangers are handled at once.
  for (const sdk::Delivery& delivery : effects.deliveries) {
    if (const auto* update = std::get_if<sdk::Update>(&delivery)) Handled(update->number);
  }
  for (const sdk::Notice& notice : output.notices) Take(notice);
  if (effects.connect) {
    Later(effects.connect->delay_ms, [this, number = ++connects_] {
      if (number == connects_) Connect();
    });
  }
  if (effects.stop) return Stopped(*effects.stop);
  if (DiesHere()) return;
  ScheduleTick();
}

void FrameworkNode::Save(const sdk::Save& save) {
  const Time when = std::max(world().now() + world().DiskTime(), last_save_);
  last_save_ = when;
  After(when - world().now(), [this, save] {
    if (user_->owner != this) {
      return Step(sdk::Event(sdk::StoreFailed{"another replica has taken over"}));
    }
    for (const sdk::Change& change : save.changes) {
      if (change.value) {
        user_->saved[change.key] = *change.value;
      } else {
        user_->saved.erase(change.key);
      }
    }
    Step(sdk::Event(sdk::Saved{save.seq}));
  });
}

void FrameworkNode::Handled(uint64_t update) {
  if (update == 0) return;
  // A replica that was overtaken has no say: its user's book is in other hands.
  After(world().prng().Between(0, user_->slowest_hand_ms), [this, update] {
    if (user_->owner == this) Step(sdk::Event(sdk::UpdateHandled{update}));
  });
}

void FrameworkNode::Take(const sdk::Notice& notice) {
  if (const auto* placed = std::get_if<sdk::TaskPlaced>(&notice)) {
    // Some change their mind while it is being started.
    if (world().weather().Every(Fault::kUserKills) > 0 && world().prng().Chance(1, 8)) {
      const int64_t soon_ms = world().prng().Between(0, world().prng().Chance(1, 2) ? 30 : 3'000);
      After(soon_ms, [this, handle = placed->handle] { Kill(handle); });
    }
    return;
  }
  const auto* done = std::get_if<sdk::TaskDone>(&notice);
  if (done == nullptr) return;
  const sdk::TaskResult& result = done->result;
  // A replica that was overtaken has no say in the user's book.
  if (user_->owner != this) return;
  observers_->Show(&Observer::Result, name(), user_->name, result.handle, result.status);
  world().Trace(name(), absl::StrCat("task ", result.handle, " ended ",
                                     std::string(model::TaskStateName(result.status.state))));
  // The user writes the result into their book, and only then says that it was handled.
  const bool news = user_->ended.insert({result.handle, result.status.state}).second;
  Handled(done->update);
  if (news && user_->on_end) Later(0, user_->on_end);
}

void FrameworkNode::Stopped(const sdk::Stop& stop) {
  world().Trace(name(), "stops: " + stop.message);
  if (stop.cause == sdk::Stop::Cause::kTornDown ||
      (user_->tearing_down && stop.cause == sdk::Stop::Cause::kRemoved)) {
    user_->torn_down = true;
    return Retire();
  }
  if (user_->owner != this) return Retire();
  if (stop.cause == sdk::Stop::Cause::kSuperseded) {
    world().Violation(
        absl::StrCat("F1: ", name(), ", the newest instance, is told: ", stop.message));
  }
  if (stop.cause == sdk::Stop::Cause::kStoreFailed) {
    return Crash(world().prng().Between(500, 3'000));
  }
  // Somebody mends the registry; until then its supervisor starts it again and again.
  if (stop.refusal == model::Refusal::kWrongCluster) {
    return Crash(world().prng().Between(1'000, 5'000));
  }
  world().Violation(absl::StrCat(name(), " stopped: ", stop.message));
}

void FrameworkNode::Connect() {
  auto* master = static_cast<MasterNode*>(ensemble_->LeaderAsKnown());
  const std::function<void()> refused = InThisLife([this] {
    Step(sdk::Event(sdk::StreamDown{0, "connection refused"}));
  });
  if (master == nullptr) return After(world().Latency(), refused);
  network().Dial(host(), master->host(), InThisLife([this, master, refused, number = connects_] {
                   if (number != connects_) return;
                   // Nobody begins a framework while the registry is being mended.
                   const bool is_new = user_->saved.count("cluster_id") == 0;
                   std::shared_ptr<Wire> wire;
                   if (!is_new || !master->foreign()) wire = master->Accept(host(), false);
                   if (wire == nullptr) return After(world().Latency(), refused);
                   Attach(std::move(wire));
                 }),
                 refused);
}

void FrameworkNode::Attach(std::shared_ptr<Wire> wire) {
  wire_ = std::move(wire);
  const uint64_t stream = ++last_stream_;
  stream_ = stream;
  wire_->Attach(Wire::kClient,
                {[this, life = life(), stream](const std::string& bytes) {
                   if (life != this->life()) return;
                   Soon([this, stream, bytes] {
                     if (stream != stream_ || wire_ == nullptr) return;
                     v1::SchedulerEvent event;
                     event.ParseFromString(bytes);
                     absl::StatusOr<model::SchedulerEvent> converted = convert::FromProto(event);
                     if (!converted.ok()) {
                       world().Violation(absl::StrCat("an event to a scheduler: ",
                                                      converted.status().ToString()));
                       return;
                     }
                     if (wire_->foreign) {
                       observers_->Show(&Observer::SchedulerHeardForeigner, name(), *converted);
                     } else {
                       observers_->Show(&Observer::SchedulerHeard, name(), *wire_, *converted);
                     }
                     Step(sdk::Event(sdk::EventReceived{stream, Now(), *std::move(converted)}));
                   });
                 },
                 InThisLife([this, stream] {
                   if (stream != stream_) return;
                   wire_.reset();
                   stream_ = 0;
                   Step(sdk::Event(sdk::StreamDown{stream, "stream closed"}));
                 })});
  Step(sdk::Event(sdk::StreamUp{stream}));
}

}  // namespace proffer::sim
