#include "sim/agent_node.h"

#include <glog/logging.h>

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "agent/checkpoint.h"
#include "common/convert/agent.h"
#include "proffer/v1/task.pb.h"

namespace proffer::sim {

AgentNode::AgentNode(World* world, MasterNode* master, Witness* witness, std::string name,
                     const std::string& resources)
    : world_(world), master_(master), witness_(witness), name_(std::move(name)), disk_(world) {
  config_.info.facts.hostname = name_;
  absl::StatusOr<Resources> parsed = Resources::Parse(resources);
  CHECK(parsed.ok()) << parsed.status();
  config_.info.resources = *parsed;
  config_.boot_id = "boot-1";
}

void AgentNode::Start() {
  ++life_;
  config_.seed = world_->prng().Next();
  absl::StatusOr<std::vector<agent::Record>> records = agent::ReadRecords(disk_.store());
  if (!records.ok()) {
    world_->Violation(
        absl::StrCat("T13: the checkpoint cannot be read: ", records.status().ToString()));
    return;
  }
  outbox_ = {};
  cancelled_.clear();
  tick_at_ = Time::Never();
  link_ = 0;
  core_ = std::make_unique<agent::Core>(config_, *records);
  agent::Effects effects;
  core_->Start(world_->now(), &effects);
  CarryOut(effects);
}

void AgentNode::Crash() {
  ++life_;
  core_.reset();
  disk_.Crash();
  if (wire_ != nullptr) wire_->Die(Wire::kClient);
  wire_.reset();
  // A launch that had not reached its shim never will.
  std::erase_if(containers_, [](const auto& entry) { return !entry.second.started; });
  world_->Trace(name_, "crash");
}

void AgentNode::Post(const agent::Event& event) {
  if (core_ == nullptr) return;
  agent::Effects effects;
  core_->Step(world_->now(), event, &effects);
  CarryOut(effects);
}

void AgentNode::ScheduleTick() {
  if (core_ == nullptr) return;
  const Time when = std::max(core_->NextDeadline(), world_->now());
  if (when.IsNever() || when >= tick_at_) return;
  tick_at_ = when;
  world_->At(when, [this, life = life_, when] {
    if (life != life_ || tick_at_ != when) return;
    tick_at_ = Time::Never();
    agent::Effects effects;
    core_->Tick(world_->now(), &effects);
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
    disk_.Append(effects.checkpoints.back().seq, std::move(batch),
                 [this, life = life_](uint64_t seq) {
                   if (life != life_) return;
                   outbox_.Durable(seq);
                   SendReady();
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
    const uint64_t number = ++connects_;
    world_->After(effects.connect->delay_ms, [this, life = life_, number] {
      if (life == life_ && number == connects_) Connect();
    });
  }
  SendReady();
  ScheduleTick();
}

void AgentNode::Connect() {
  wire_ = master_->DialAgent();
  if (wire_ == nullptr) {
    Post(agent::LinkDown{0, "connection refused"});
    return;
  }
  const uint64_t link = ++last_link_;
  link_ = link;
  wire_->Attach(
      Wire::kClient,
      {[this, life = life_, link](const std::string& bytes) {
         if (life != life_ || link != link_) return;
         v1::AgentOrder order;
         order.ParseFromString(bytes);
         absl::StatusOr<model::AgentOrder> converted = convert::FromProto(order);
         if (!converted.ok()) {
           world_->Violation(absl::StrCat("an order to an agent: ", converted.status().ToString()));
           return;
         }
         Post(agent::OrderReceived{link, world_->now(), *std::move(converted)});
       },
       [this, life = life_, link] {
         if (life != life_ || link != link_) return;
         wire_.reset();
         link_ = 0;
         Post(agent::LinkDown{link, "stream closed"});
       }});
  Post(agent::LinkUp{link});
}

void AgentNode::SendReady() {
  for (auto& [peer, item] : outbox_.TakeReady()) {
    if (const auto* command = std::get_if<agent::ContainerCommand>(&item)) {
      Do(*command);
    } else if (const auto* message = std::get_if<agent::SendMessage>(&item)) {
      if (wire_ == nullptr || message->link != link_) continue;
      v1::AgentMessage out;
      convert::ToProto(message->message, &out);
      world_->Trace(name_, out.ShortDebugString());
      wire_->Send(Wire::kClient, out.SerializeAsString());
    } else {
      world_->Violation(absl::StrCat(name_, " stopped: ", std::get<agent::Stop>(item).message));
    }
  }
}

void AgentNode::Do(const agent::ContainerCommand& command) {
  if (const auto* launch = std::get_if<agent::LaunchContainer>(&command)) {
    Launch(*launch);
  } else if (const auto* kill = std::get_if<agent::KillContainer>(&command)) {
    Kill(*kill);
  } else if (const auto* recover = std::get_if<agent::RecoverContainer>(&command)) {
    Recover(*recover);
  } else if (const auto* forget = std::get_if<agent::ForgetContainer>(&command)) {
    containers_.erase(forget->attempt);
  } else {
    const std::vector<model::AttemptId>& keep = std::get<agent::KeepContainers>(command).attempts;
    for (auto& [attempt, container] : containers_) {
      if (std::find(keep.begin(), keep.end(), attempt) != keep.end()) continue;
      if (container.started && !container.ended) {
        container.ended = true;
        witness_->Ended(attempt);
      }
    }
  }
}

void AgentNode::Launch(const agent::LaunchContainer& launch) {
  const model::AttemptId attempt = launch.launch->attempt;
  Container& container = containers_[attempt];
  container.key = {launch.launch->framework, launch.launch->task.id};
  v1::TaskPayload payload;
  payload.ParseFromString(*launch.launch->task.payload);
  // argv of a simulated task: how long it runs, and its exit code.
  int64_t run_ms = 0;
  int exit_code = 0;
  if (payload.command().argv_size() == 2) {
    (void)absl::SimpleAtoi(payload.command().argv(0), &run_ms);
    (void)absl::SimpleAtoi(payload.command().argv(1), &exit_code);
  }
  world_->After(world_->prng().Between(1, 20), [this, life = life_, attempt, run_ms, exit_code] {
    if (life != life_) return;  // Crashed before the shim was there.
    auto it = containers_.find(attempt);
    if (it == containers_.end()) return;
    if (cancelled_.count(attempt) > 0) {
      containers_.erase(it);
      Post(agent::LaunchCancelled{attempt});
      return;
    }
    it->second.started = true;
    witness_->Started(attempt, it->second.key.task);
    // The task lives on whatever becomes of the agent.
    world_->After(run_ms, [this, attempt, exit_code] {
      Ended(attempt, agent::EndCause::kItself, exit_code, std::nullopt);
    });
    Post(agent::ContainerStarted{attempt, 1000});
  });
}

void AgentNode::Kill(const agent::KillContainer& kill) {
  auto it = containers_.find(kill.attempt);
  if (it == containers_.end() || it->second.ended) return;
  if (!it->second.started) {
    cancelled_.insert(kill.attempt);
    return;
  }
  world_->After(
      world_->prng().Between(1, std::max<int64_t>(kill.grace_ms, 1)),
      [this, attempt = kill.attempt] { Ended(attempt, agent::EndCause::kKilled, 0, 15); });
}

void AgentNode::Ended(const model::AttemptId& attempt, agent::EndCause cause, int exit_code,
                      std::optional<int32_t> signal) {
  auto it = containers_.find(attempt);
  if (it == containers_.end() || it->second.ended || !it->second.started) return;
  Container& container = it->second;
  container.ended = true;
  container.cause = cause;
  container.exit_code = exit_code;
  container.signal = signal;
  witness_->Ended(attempt);
  agent::ContainerEnded ended{attempt, cause, std::nullopt, signal};
  if (!signal) ended.exit_code = exit_code;
  Post(ended);
}

void AgentNode::Recover(const agent::RecoverContainer& recover) {
  const model::AttemptId attempt = recover.launch->attempt;
  world_->After(world_->prng().Between(1, 10), [this, life = life_, attempt] {
    if (life != life_) return;
    auto it = containers_.find(attempt);
    if (it == containers_.end()) {
      Post(agent::NoTrace{attempt});
      return;
    }
    if (!it->second.ended) {
      Post(agent::ContainerStarted{attempt, 1000});
      return;
    }
    agent::ContainerEnded ended{attempt, it->second.cause, std::nullopt, it->second.signal};
    if (!it->second.signal) ended.exit_code = it->second.exit_code;
    Post(ended);
  });
}

}  // namespace proffer::sim
