#include "sim/master_node.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/convert/agent.h"
#include "common/convert/scheduler.h"
#include "master/registry.h"

namespace proffer::sim {

MasterNode::MasterNode(World* world) : world_(world), disk_(world) {}

void MasterNode::Start() {
  ++life_;
  absl::StatusOr<master::TakenOver> taken = master::TakeOver(disk_.store(), "C-sim");
  if (!taken.ok()) {
    world_->Violation(absl::StrCat("L4: the registry cannot be read: ", taken.status().ToString()));
    return;
  }
  master::Config config;
  config.cluster_id = taken->cluster_id;
  config.epoch = taken->epoch;
  config.seed = world_->prng().Next();
  config.unreachable_ms = 15'000;
  outbox_ = {};
  mail_.clear();
  turn_at_ = Time::Never();
  master::Effects effects;
  core_ = std::make_unique<master::Core>(config, taken->registry, world_->now(), world_->unix_ms(),
                                         &effects);
  CarryOut(effects);
  ScheduleTurn(core_->NextDeadline());
}

void MasterNode::Crash() {
  ++life_;
  core_.reset();
  disk_.Crash();
  for (auto& [id, open] : open_) open.wire->Die(Wire::kServer);
  open_.clear();
  world_->Trace("master", "crash");
}

void MasterNode::Pause(int64_t ms) { paused_until_ = world_->now() + ms; }

std::shared_ptr<Wire> MasterNode::DialAgent() { return Accept(true); }
std::shared_ptr<Wire> MasterNode::DialScheduler() { return Accept(false); }

std::shared_ptr<Wire> MasterNode::Accept(bool is_agent) {
  if (!up()) return nullptr;
  auto wire = std::make_shared<Wire>(world_);
  const master::StreamId stream = ++last_stream_;
  wire->Attach(Wire::kServer, {[this, stream, is_agent, life = life_](const std::string& bytes) {
                                 if (life == life_) Receive(stream, is_agent, bytes);
                               },
                               [this, stream, is_agent, life = life_] {
                                 if (life != life_) return;
                                 open_.erase(stream);
                                 if (is_agent) {
                                   Post(master::AgentStreamClosed{stream});
                                 } else {
                                   Post(master::SchedulerStreamClosed{stream});
                                 }
                               }});
  open_[stream] = {wire, is_agent};
  return wire;
}

void MasterNode::BreakOne() {
  if (open_.empty()) return;
  auto it = open_.begin();
  std::advance(it, world_->prng().Below(open_.size()));
  world_->Trace("network", absl::StrCat("breaks stream ", it->first));
  it->second.wire->Break();
}

void MasterNode::Receive(master::StreamId stream, bool is_agent, const std::string& bytes) {
  if (is_agent) {
    v1::AgentMessage message;
    message.ParseFromString(bytes);
    absl::StatusOr<model::AgentMessage> converted = convert::FromProto(message);
    if (!converted.ok()) {
      world_->Violation(absl::StrCat("an agent's message: ", converted.status().ToString()));
      return;
    }
    Post(master::AgentSaid{stream, world_->now(), *std::move(converted)});
    return;
  }
  v1::SchedulerCall call;
  call.ParseFromString(bytes);
  absl::StatusOr<model::SchedulerCall> converted = convert::FromProto(call);
  if (converted.ok()) {
    Post(master::SchedulerSaid{stream, "sim", *std::move(converted)});
  } else {
    Post(master::SchedulerSaidNonsense{stream, call.call_id(),
                                       std::string(converted.status().message())});
  }
}

void MasterNode::Post(master::Event event) {
  mail_.push_back(std::move(event));
  ScheduleTurn(world_->now());
}

void MasterNode::ScheduleTurn(Time when) {
  when = std::max({when, world_->now(), paused_until_});
  if (when.IsNever() || when >= turn_at_) return;
  turn_at_ = when;
  world_->At(when, [this, life = life_, when] {
    if (life != life_ || turn_at_ != when) return;
    if (paused_until_ > world_->now()) {
      turn_at_ = Time::Never();
      ScheduleTurn(paused_until_);
      return;
    }
    Turn();
  });
}

void MasterNode::Turn() {
  ++turns_;
  turn_at_ = Time::Never();
  master::Effects effects;
  const std::vector<master::Event> mail = std::exchange(mail_, {});
  core_->BeginTurn(world_->now(), world_->unix_ms(), &effects);
  for (const master::Event& event : mail) core_->Step(event);
  core_->EndTurn();
  if (const absl::Status status = core_->CheckInvariants(); !status.ok()) {
    world_->Violation(absl::StrCat("R2: ", status.message()));
  }
  CarryOut(effects);
  SendReady();
  ScheduleTurn(core_->NextDeadline());
}

void MasterNode::CarryOut(master::Effects& effects) {
  for (const std::string& note : effects.notes) world_->Trace("master", note);
  if (!effects.records.empty()) {
    std::vector<Mutation> batch;
    for (const master::WriteRecord& write : effects.records) {
      batch.push_back(master::ToMutation(write.record));
    }
    disk_.Append(effects.records.back().seq, std::move(batch), [this, life = life_](uint64_t seq) {
      if (life != life_) return;
      outbox_.Durable(seq);
      SendReady();
    });
  }
  for (master::ToAgent& item : effects.to_agents) {
    const uint64_t after = item.after_seq;
    const uint64_t stream = item.stream;
    outbox_.Add(after, stream, std::move(item));
  }
  for (master::ToScheduler& item : effects.to_schedulers) {
    const uint64_t after = item.after_seq;
    const uint64_t stream = item.stream;
    outbox_.Add(after, stream, std::move(item));
  }
}

void MasterNode::SendReady() {
  for (auto& [stream, item] : outbox_.TakeReady()) {
    auto it = open_.find(stream);
    if (it == open_.end()) continue;
    const std::shared_ptr<Wire> wire = it->second.wire;
    std::string bytes;
    bool last = false;
    if (const auto* to_agent = std::get_if<master::ToAgent>(&item)) {
      v1::AgentOrder order;
      convert::ToProto(to_agent->order, &order);
      bytes = order.SerializeAsString();
      last = to_agent->last;
    } else {
      const auto& to_scheduler = std::get<master::ToScheduler>(item);
      v1::SchedulerEvent event;
      convert::ToProto(to_scheduler.event, &event);
      bytes = event.SerializeAsString();
      last = to_scheduler.last;
    }
    wire->Send(Wire::kServer, std::move(bytes));
    if (last) {
      wire->Close(Wire::kServer);
      open_.erase(it);
    }
  }
}

}  // namespace proffer::sim
