#include "sim/nodes/agent_node.h"

#include <glog/logging.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/checkpoint.h"
#include "common/convert/agent.h"
#include "sim/world/bytes.h"

namespace proffer::sim {

AgentNode::AgentNode(World* world, Network* network, Ensemble* ensemble, const Observers* observers,
                     std::string name, const std::string& resources)
    : Process(world, network, std::move(name)),
      ensemble_(ensemble),
      observers_(observers),
      disk_(world),
      shims_(world, observers, this->name()) {
  config_.info.facts.hostname = this->name();
  Resize(resources);
}

void AgentNode::Resize(const std::string& resources) {
  absl::StatusOr<Resources> parsed = Resources::Parse(resources);
  CHECK(parsed.ok()) << parsed.status();
  config_.info.resources = *parsed;
}

void AgentNode::Reboot() {
  // The machine goes down whether or not the agent runs.
  Crash(world().prng().Between(500, 10'000));
  shims_.Reboot();
  ++boots_;
  RestartClock();
}

void AgentNode::Reimage() {
  Reboot();
  if (absl::StatusOr<std::vector<agent::Record>> records = agent::ReadRecords(disk_.store());
      records.ok()) {
    for (const agent::Record& record : *records) {
      const auto* identity = std::get_if<agent::IdentityRecord>(&record);
      if (identity != nullptr && !identity->agent.empty()) lost_ids_.push_back(identity->agent);
    }
  }
  disk_.Wipe();
  observers_->Show(&Observer::Reimaged, name());
}

void AgentNode::LoseRunDirectory() {
  Crash();
  const absl::StatusOr<std::vector<agent::Record>> records = agent::ReadRecords(disk_.store());
  if (!records.ok()) return;
  std::set<model::AttemptId> started;
  for (const agent::Record& record : *records) {
    const auto* progress = std::get_if<agent::ProgressRecord>(&record);
    if (progress != nullptr && progress->progress.started) started.insert(progress->attempt);
  }
  shims_.LoseRunDirectory(started);
}

void AgentNode::OnStart() {
  config_.seed = world().prng().Next();
  config_.boot_id = absl::StrCat("boot-", boots_);
  absl::StatusOr<std::vector<agent::Record>> records = agent::ReadRecords(disk_.store());
  if (!records.ok()) {
    world().Violation(
        absl::StrCat("T13: the checkpoint cannot be read: ", records.status().ToString()));
    return;
  }
  outbox_ = {};
  alarm_at_ = Time::Never();
  link_ = 0;
  runner_ = std::make_shared<RunnerNode>(&world(), &shims_,
                                         [this, life = life()](const agent::Event& event) {
                                           if (life == this->life())
                                             Soon([this, event] { Post(event); });
                                         });
  core_ = std::make_unique<agent::Core>(config_, *records);
  observers_->Show(&Observer::AgentStarted, name(), config_.info.resources);
  agent::Effects effects;
  core_->Start(Now(), &effects);
  CarryOut(effects);
}

void AgentNode::OnCrash() {
  core_.reset();
  runner_.reset();
  disk_.Crash();
  shims_.AgentDied();
  if (wire_ != nullptr) wire_->Die(Wire::kClient);
  wire_.reset();
  observers_->Show(&Observer::AgentDied, name());
}

void AgentNode::Post(const agent::Event& event) {
  if (core_ == nullptr) return;
  agent::Effects effects;
  core_->Step(Now(), event, &effects);
  CarryOut(effects);
}

void AgentNode::ScheduleTick() {
  const Time when = std::max(core_->NextDeadline(), Now());
  if (when.IsNever() || when >= alarm_at_) return;
  alarm_at_ = when;
  Later(when - Now(), [this, number = ++alarm_] {
    if (number != alarm_) return;
    alarm_at_ = Time::Never();
    agent::Effects effects;
    core_->Tick(Now(), &effects);
    CarryOut(effects);
  });
}

void AgentNode::CarryOut(agent::Effects& effects) {
  if (!effects.checkpoints.empty()) {
    std::vector<Mutation> batch;
    for (const agent::Checkpoint& checkpoint : effects.checkpoints) {
      for (Mutation& mutation : agent::ToMutations(checkpoint.record)) {
        batch.push_back(std::move(mutation));
      }
    }
    if (DiesHere()) return;
    const uint64_t seq = effects.checkpoints.back().seq;
    disk_.Append(std::move(batch), [this, seq, life = life()](bool ok) {
      if (life != this->life()) return;
      Soon([this, seq, ok] {
        if (!ok) return Crash();
        outbox_.Durable(seq);
        SendReady();
      });
    });
  }
  for (agent::CommandContainer& command : effects.commands) {
    outbox_.Add(command.after_seq, kContainers, std::move(command.command));
  }
  for (agent::SendMessage& message : effects.messages) {
    const uint64_t after = message.after_seq;
    outbox_.Add(after, kMaster, std::move(message));
  }
  if (effects.stop) {
    const uint64_t after = effects.stop->after_seq;
    outbox_.Add(after, kSelf, *std::move(effects.stop));
  }
  if (effects.drop_link && wire_ != nullptr && link_ == effects.drop_link->link) {
    wire_->Die(Wire::kClient);
    wire_.reset();
    link_ = 0;
  }
  if (effects.connect) {
    Later(effects.connect->delay_ms, [this, number = ++connects_] {
      if (number == connects_) Connect();
    });
  }
  SendReady();
  if (core_ != nullptr) ScheduleTick();
}

void AgentNode::Connect() {
  auto* master = static_cast<MasterNode*>(ensemble_->LeaderAsKnown());
  const std::function<void()> refused = InThisLife([this] {
    Post(agent::LinkDown{0, "connection refused"});
  });
  if (master == nullptr) return After(world().Latency(), refused);
  network().Dial(host(), master->host(), InThisLife([this, master, refused, number = connects_] {
                   if (number != connects_) return;
                   // Nobody sets up a new machine while the registry is being mended.
                   const bool is_new = core_->identity().cluster_id.empty();
                   std::shared_ptr<Wire> wire;
                   if (!is_new || !master->foreign()) wire = master->Accept(host(), true);
                   if (wire == nullptr) return After(world().Latency(), refused);
                   Attach(std::move(wire));
                 }),
                 refused);
}

void AgentNode::ShowHeard(const model::AgentOrder& order) {
  if (wire_->foreign) {
    observers_->Show(&Observer::AgentHeardForeigner, name(), order);
  } else {
    observers_->Show(&Observer::AgentHeard, name(), *wire_, order);
  }
}

void AgentNode::Attach(std::shared_ptr<Wire> wire) {
  wire_ = std::move(wire);
  const uint64_t link = ++last_link_;
  link_ = link;
  wire_->Attach(Wire::kClient, {[this, life = life(), link](const std::string& bytes) {
                                  if (life != this->life()) return;
                                  Soon([this, link, bytes] {
                                    v1::AgentOrder order;
                                    order.ParseFromString(bytes);
                                    absl::StatusOr<model::AgentOrder> converted =
                                        convert::FromProto(order);
                                    if (!converted.ok()) {
                                      world().Violation(absl::StrCat(
                                          "an order to an agent: ", converted.status().ToString()));
                                      return;
                                    }
                                    // One that waited may be of a connection that was left
                                    // meanwhile: that is for the core to see.
                                    if (link == link_ && wire_ != nullptr) ShowHeard(*converted);
                                    Post(agent::OrderReceived{link, Now(), *std::move(converted)});
                                  });
                                },
                                InThisLife([this, link] {
                                  if (link != link_) return;
                                  wire_.reset();
                                  link_ = 0;
                                  Post(agent::LinkDown{link, "stream closed"});
                                })});
  Post(agent::LinkUp{link});
}

void AgentNode::SendReady() {
  for (auto& [peer, item] : outbox_.TakeReady()) {
    if (DiesHere()) return;
    if (const auto* command = std::get_if<agent::ContainerCommand>(&item)) {
      runner_->Do(*command);
    } else if (const auto* message = std::get_if<agent::SendMessage>(&item)) {
      if (wire_ == nullptr || message->link != link_) continue;
      if (wire_->foreign) {
        observers_->Show(&Observer::AgentToldForeigner, name(), message->message);
      } else {
        observers_->Show(&Observer::AgentTold, name(), *wire_, message->message);
      }
      v1::AgentMessage out;
      convert::ToProto(message->message, &out);
      std::string bytes = BytesOf(out);
      world().Trace(name(), bytes, [&] { return out.ShortDebugString(); });
      wire_->Send(Wire::kClient, std::move(bytes));
    } else {
      // What the process ends for it may begin again for: a new stream, an id that is gone.
      world().Trace(name(), "stops: " + std::get<agent::Stop>(item).message);
      return Crash(world().prng().Between(500, 5'000));
    }
  }
}

}  // namespace proffer::sim
