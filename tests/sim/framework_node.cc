#include "sim/framework_node.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/convert/scheduler.h"
#include "proffer/v1/task.pb.h"

namespace proffer::sim {

FrameworkNode::FrameworkNode(World* world, MasterNode* master, Witness* witness, std::string name,
                             std::string role, std::vector<SimTask> tasks)
    : world_(world),
      master_(master),
      witness_(witness),
      name_(std::move(name)),
      role_(std::move(role)),
      tasks_(std::move(tasks)) {}

void FrameworkNode::Start() {
  ++life_;
  sdk::Config config;
  config.framework.name = name_;
  config.framework.roles = {role_};
  config.seed = world_->prng().Next();
  absl::StatusOr<sdk::SavedState> saved = sdk::ParseSavedState(saved_);
  if (!saved.ok()) {
    world_->Violation(absl::StrCat("the saved state cannot be read: ", saved.status().ToString()));
    return;
  }
  config.saved = *saved;
  tick_at_ = Time::Never();
  stream_ = 0;
  sdk::TaskQueue::Options queue;
  queue.roles = {role_};
  core_ = std::make_unique<sdk::FrameworkCore>(std::move(config), std::move(queue));
  sdk::Output output;
  core_->Start(world_->now(), &output);
  CarryOut(output);
  // The user hands in again whatever they do not know to have ended.
  for (uint64_t handle = 1; handle <= tasks_.size(); ++handle) {
    if (ended_.count(handle) > 0) continue;
    const SimTask& wanted = tasks_[handle - 1];
    v1::TaskPayload payload;
    payload.mutable_command()->add_argv(std::to_string(wanted.run_ms));
    payload.mutable_command()->add_argv(std::to_string(wanted.exit_code));
    sdk::QueuedTask task;
    task.id = model::TaskId(absl::StrCat(name_, "-", handle));
    task.shape = wanted.shape;
    task.payload = std::make_shared<const std::string>(payload.SerializeAsString());
    task.kill_grace_ms = 500;
    Step(sdk::SubmitAsked{handle, std::move(task)});
  }
}

void FrameworkNode::Crash() {
  ++life_;
  core_.reset();
  if (wire_ != nullptr) wire_->Die(Wire::kClient);
  wire_.reset();
  world_->Trace(name_, "crash");
}

void FrameworkNode::KillOne() {
  if (core_ == nullptr) return;
  for (uint64_t handle = 1; handle <= tasks_.size(); ++handle) {
    if (ended_.count(handle) > 0 || kill_asked_[handle]) continue;
    if (!world_->prng().Chance(1, 3)) continue;
    kill_asked_[handle] = true;
    Step(sdk::KillSubmittedAsked{handle, std::nullopt});
    return;
  }
}

void FrameworkNode::TearDown() {
  tearing_down_ = true;
  if (core_ != nullptr) Step(sdk::Event(sdk::TeardownAsked{}));
}

void FrameworkNode::Step(const sdk::Input& input) {
  if (core_ == nullptr) return;
  sdk::Output output;
  core_->Step(world_->now(), input, &output);
  CarryOut(output);
}

void FrameworkNode::ScheduleTick() {
  if (core_ == nullptr) return;
  const Time when = std::max(core_->NextDeadline(), world_->now());
  if (when.IsNever() || when >= tick_at_) return;
  tick_at_ = when;
  world_->At(when, [this, life = life_, when] {
    if (life != life_ || tick_at_ != when) return;
    tick_at_ = Time::Never();
    sdk::Output output;
    core_->Tick(world_->now(), &output);
    CarryOut(output);
  });
}

void FrameworkNode::CarryOut(sdk::Output& output) {
  sdk::Effects& effects = output.effects;
  for (const sdk::Save& save : effects.saves) {
    const Time when = std::max(world_->now() + world_->DiskTime(), last_save_);
    last_save_ = when;
    world_->At(when, [this, life = life_, save] {
      if (life != life_) return;
      for (const sdk::Change& change : save.changes) {
        if (change.value) {
          saved_[change.key] = *change.value;
        } else {
          saved_.erase(change.key);
        }
      }
      Step(sdk::Event(sdk::Saved{save.seq}));
    });
  }
  if (effects.drop_stream && wire_ != nullptr) {
    wire_->Die(Wire::kClient);
    wire_.reset();
    stream_ = 0;
  }
  for (const sdk::SendCall& send : effects.calls) {
    if (wire_ == nullptr || send.stream != stream_) continue;
    v1::SchedulerCall call;
    convert::ToProto(send.call, &call);
    world_->Trace(name_, call.ShortDebugString());
    wire_->Send(Wire::kClient, call.SerializeAsString());
  }
  // The user's callbacks: statuses of strangers are handled at once.
  const uint64_t life = life_;
  for (const sdk::Delivery& delivery : effects.deliveries) {
    if (const auto* update = std::get_if<sdk::Update>(&delivery)) {
      const uint64_t number = update->number;
      world_->After(world_->prng().Between(0, 5), [this, life, number] {
        if (life == life_) Step(sdk::Event(sdk::UpdateHandled{number}));
      });
    }
  }
  for (const sdk::Notice& notice : output.notices) Take(notice);
  if (effects.connect) {
    const uint64_t number = ++connects_;
    world_->After(effects.connect->delay_ms, [this, life, number] {
      if (life == life_ && number == connects_) Connect();
    });
  }
  if (effects.stop) {
    if (effects.stop->cause == sdk::Stop::Cause::kTornDown ||
        (tearing_down_ && effects.stop->cause == sdk::Stop::Cause::kRemoved)) {
      torn_down_ = true;
    } else {
      world_->Violation(absl::StrCat(name_, " stopped: ", effects.stop->message));
    }
  }
  ScheduleTick();
}

void FrameworkNode::Take(const sdk::Notice& notice) {
  const auto* done = std::get_if<sdk::TaskDone>(&notice);
  if (done == nullptr) return;
  const sdk::TaskResult& result = done->result;
  witness_->Result(name_, result.handle, result.status);
  world_->Trace(name_, absl::StrCat("task ", result.handle, " ended ",
                                    std::string(model::TaskStateName(result.status.state))));
  // The user writes the result into their book, and only then says that it was handled.
  if (ended_.insert({result.handle, result.status.state}).second &&
      result.status.state == model::TaskState::kFinished) {
    ++finished_;
  }
  if (done->update == 0) return;
  world_->After(world_->prng().Between(0, 5), [this, life = life_, number = done->update] {
    if (life == life_) Step(sdk::Event(sdk::UpdateHandled{number}));
  });
}

void FrameworkNode::Connect() {
  wire_ = master_->DialScheduler();
  if (wire_ == nullptr) {
    Step(sdk::Event(sdk::StreamDown{0, "connection refused"}));
    return;
  }
  const uint64_t stream = ++last_stream_;
  stream_ = stream;
  wire_->Attach(
      Wire::kClient,
      {[this, life = life_, stream](const std::string& bytes) {
         if (life != life_ || stream != stream_) return;
         v1::SchedulerEvent event;
         event.ParseFromString(bytes);
         absl::StatusOr<model::SchedulerEvent> converted = convert::FromProto(event);
         if (!converted.ok()) {
           world_->Violation(
               absl::StrCat("an event to a scheduler: ", converted.status().ToString()));
           return;
         }
         if (const auto* status = std::get_if<model::TaskStatus>(&*converted)) {
           witness_->Told(core_->scheduler().framework_id(), *status);
         }
         Step(sdk::Event(sdk::EventReceived{stream, world_->now(), *std::move(converted)}));
       },
       [this, life = life_, stream] {
         if (life != life_ || stream != stream_) return;
         wire_.reset();
         stream_ = 0;
         Step(sdk::Event(sdk::StreamDown{stream, "stream closed"}));
       }});
  Step(sdk::Event(sdk::StreamUp{stream}));
}

}  // namespace proffer::sim
