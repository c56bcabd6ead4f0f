#include "sim/nodes/master_node.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/convert/agent.h"
#include "common/convert/scheduler.h"
#include "master/registry.h"
#include "sim/world/bytes.h"

namespace proffer::sim {

MasterNode::MasterNode(World* world, Network* network, Ensemble* ensemble,
                       const Observers* observers, std::string name, const Options& options)
    : Candidate(world, network, std::move(name)),
      ensemble_(ensemble),
      observers_(observers),
      options_(options) {}

void MasterNode::OnStart() { ensemble_->Join(this); }

void MasterNode::OnCrash() {
  ensemble_->Leave(this);
  core_.reset();
  for (auto& [id, open] : open_) open.wire->Die(Wire::kServer);
  open_.clear();
  mail_.clear();
}

void MasterNode::SessionLost() { Crash(world().prng().Between(1, 3'000)); }

void MasterNode::Lead() {
  foreign_ = ensemble_->wiped();
  absl::StatusOr<master::TakenOver> taken =
      master::TakeOver(ensemble_->store(), {foreign_ ? "C-other" : "C-sim"});
  if (!taken.ok()) {
    world().Violation(absl::StrCat("L4: the registry cannot be read: ", taken.status().ToString()));
    return;
  }
  master::Config config;
  config.cluster_id = taken->cluster_id;
  config.epoch = epoch_ = taken->epoch;
  config.seed = world().prng().Next();
  config.unreachable_ms = options_.unreachable_ms;
  config.offer_timeout_ms = options_.offer_timeout_ms;
  config.unreachable_per_minute = options_.unreachable_per_minute;
  config.valve_min_agents = options_.valve_min_agents;
  config.max_outstanding_offers = options_.most_offers;
  outbox_ = {};
  mail_.clear();
  turn_asked_ = false;
  alarm_at_ = Time::Never();
  master::Effects effects;
  core_ =
      std::make_unique<master::Core>(config, taken->registry, Now(), world().unix_ms(), &effects);
  CarryOut(effects);
  if (core_ != nullptr) ScheduleTurn(core_->NextDeadline());
}

std::shared_ptr<Wire> MasterNode::Accept(Host client, bool is_agent) {
  if (core_ == nullptr || paused()) return nullptr;
  std::shared_ptr<Wire> wire = network().Connect(client, host());
  wire->epoch = epoch_;
  wire->foreign = foreign_;
  const master::StreamId stream = wire->number();
  wire->Attach(Wire::kServer,
               {[this, stream, is_agent, life = life()](const std::string& bytes) {
                  if (life != this->life()) return;
                  Soon([this, stream, is_agent, bytes] { Receive(stream, is_agent, bytes); });
                },
                InThisLife([this, stream, is_agent] { Lost(stream, is_agent); })});
  open_[stream] = {wire, is_agent};
  return wire;
}

void MasterNode::Lost(master::StreamId stream, bool is_agent) {
  const auto open = open_.find(stream);
  if (open == open_.end()) return;
  const std::shared_ptr<Wire> wire = open->second.wire;
  open_.erase(open);
  if (is_agent) {
    Show(&Observer::MasterLostAgent, *wire);
    Post(master::AgentStreamClosed{stream});
  } else {
    Show(&Observer::MasterLostScheduler, *wire);
    Post(master::SchedulerStreamClosed{stream});
  }
}

void MasterNode::Ask(master::OperatorAsked asked) {
  if (core_ != nullptr) Soon([this, asked = std::move(asked)] { Post(asked); });
}

void MasterNode::Receive(master::StreamId stream, bool is_agent, const std::string& bytes) {
  const auto open = open_.find(stream);
  if (open == open_.end()) return;
  if (is_agent) {
    v1::AgentMessage message;
    const bool parsed = message.ParseFromString(bytes);
    absl::StatusOr<model::AgentMessage> converted = convert::FromProto(message);
    if (!parsed || !converted.ok()) {
      world().Violation(absl::StrCat("an agent's message: ", converted.status().ToString()));
      return;
    }
    Show(&Observer::MasterHeardAgent, *open->second.wire, *converted);
    Post(master::AgentSaid{stream, Now(), *std::move(converted)});
    return;
  }
  v1::SchedulerCall call;
  if (!call.ParseFromString(bytes)) {
    // A real server would end the stream; so does this one.
    open->second.wire->Close(Wire::kServer);
    return Lost(stream, is_agent);
  }
  absl::StatusOr<model::SchedulerCall> converted = convert::FromProto(call);
  if (converted.ok()) {
    Show(&Observer::MasterHeardScheduler, *open->second.wire, *converted);
    Post(master::SchedulerSaid{stream, "sim", *std::move(converted)});
  } else {
    Post(master::SchedulerSaidNonsense{stream, call.call_id(),
                                       std::string(converted.status().message())});
  }
}

void MasterNode::Post(master::Event event) {
  if (core_ == nullptr) return;
  mail_.push_back(std::move(event));
  if (std::exchange(turn_asked_, true)) return;
  // What comes at the same moment is of one turn.
  After(0, [this] {
    turn_asked_ = false;
    Turn();
  });
}

void MasterNode::ScheduleTurn(Time when) {
  if (when.IsNever() || when >= alarm_at_) return;
  alarm_at_ = when;
  Later(std::max<int64_t>(when - Now(), 0), [this, number = ++alarm_] {
    if (number != alarm_) return;
    alarm_at_ = Time::Never();
    Turn();
  });
}

void MasterNode::Turn() {
  if (core_ == nullptr) return;
  master::Effects effects;
  const std::vector<master::Event> mail = std::exchange(mail_, {});
  core_->BeginTurn(Now(), world().unix_ms(), &effects);
  for (const master::Event& event : mail) core_->Step(event);
  core_->EndTurn();
  if (options_.check_invariants) {
    const absl::Status status = core_->CheckInvariants();
    if (!status.ok()) world().Violation(absl::StrCat("R2: ", status.message()));
  }
  CarryOut(effects);
  if (core_ == nullptr) return;
  Show(&Observer::MasterTurned, name(), *core_);
  ScheduleTurn(core_->NextDeadline());
}

void MasterNode::CarryOut(master::Effects& effects) {
  for (const std::string& note : effects.notes) world().Trace(name(), note);
  if (!effects.records.empty()) {
    std::vector<Mutation> batch;
    for (const master::WriteRecord& write : effects.records) {
      batch.push_back(master::ToMutation(write.record));
      Show(&Observer::MasterDecidedRecord, epoch_, batch.back());
    }
    if (DiesHere()) return;
    const uint64_t seq = effects.records.back().seq;
    ensemble_->Write(this, epoch_, std::move(batch),
                     [this, seq, life = life()](absl::Status status) {
                       if (life != this->life()) return;
                       Soon([this, seq, status] {
                         if (!status.ok()) return Crash(world().prng().Between(1, 3'000));
                         outbox_.Durable(seq);
                         SendReady();
                       });
                     });
  }
  for (master::ToAgent& item : effects.to_agents) {
    const uint64_t after = item.after_seq;
    const uint64_t stream = item.stream;
    if (const auto open = open_.find(stream); open != open_.end()) {
      Show(&Observer::MasterDecidedForAgent, *open->second.wire, item.order);
    }
    outbox_.Add(after, stream, std::move(item));
  }
  for (master::ToScheduler& item : effects.to_schedulers) {
    const uint64_t after = item.after_seq;
    const uint64_t stream = item.stream;
    if (const auto open = open_.find(stream); open != open_.end()) {
      Show(&Observer::MasterDecidedForScheduler, *open->second.wire, item.event);
    }
    outbox_.Add(after, stream, std::move(item));
  }
  SendReady();
}

void MasterNode::SendReady() {
  for (auto& [stream, item] : outbox_.TakeReady()) {
    const auto it = open_.find(stream);
    if (it == open_.end()) continue;
    if (DiesHere()) return;
    Send(it->second, item);
    const bool last = std::visit([](const auto& said) { return said.last; }, item);
    if (!last) continue;
    it->second.wire->Close(Wire::kServer);
    // What comes on it until it is really closed still gets to the core, as with gRPC.
    After(world().Latency(),
          [this, stream = stream, is_agent = it->second.is_agent] { Lost(stream, is_agent); });
  }
}

void MasterNode::Send(const Open& open, const Item& item) {
  std::string bytes;
  if (const auto* to_agent = std::get_if<master::ToAgent>(&item)) {
    Show(&Observer::MasterToldAgent, *open.wire, to_agent->order);
    v1::AgentOrder order;
    convert::ToProto(to_agent->order, &order);
    bytes = BytesOf(order);
    world().Trace(name(), bytes, [&] {
      return absl::StrCat("to ", network().name(open.wire->host(Wire::kClient)), " ",
                          order.ShortDebugString());
    });
  } else {
    const auto& to_scheduler = std::get<master::ToScheduler>(item);
    Show(&Observer::MasterToldScheduler, *open.wire, to_scheduler.event);
    v1::SchedulerEvent event;
    convert::ToProto(to_scheduler.event, &event);
    bytes = BytesOf(event);
    world().Trace(name(), bytes, [&] {
      return absl::StrCat("to ", network().name(open.wire->host(Wire::kClient)), " ",
                          event.ShortDebugString());
    });
  }
  open.wire->Send(Wire::kServer, std::move(bytes));
}

}  // namespace proffer::sim
