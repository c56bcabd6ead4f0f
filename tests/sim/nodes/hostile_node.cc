#include "sim/nodes/hostile_node.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/convert/scheduler.h"
#include "sim/nodes/program.h"
#include "sim/world/bytes.h"

namespace proffer::sim {

HostileNode::HostileNode(World* world, Network* network, Ensemble* ensemble,
                         const Observers* observers, std::string name, Way way)
    : Process(world, network, std::move(name)),
      ensemble_(ensemble),
      observers_(observers),
      way_(way) {}

void HostileNode::OnStart() {
  Connect();
  Act();
}

void HostileNode::OnCrash() {
  if (wire_ != nullptr) wire_->Die(Wire::kClient);
  wire_.reset();
}

void HostileNode::Connect() {
  auto* master = static_cast<MasterNode*>(ensemble_->LeaderAsKnown());
  const uint64_t number = ++connects_;
  const std::function<void()> again = InThisLife([this] { After(500, [this] { Connect(); }); });
  if (master == nullptr) return again();
  network().Dial(host(), master->host(), InThisLife([this, master, again, number] {
                   if (number != connects_) return;
                   wire_ = master->foreign() ? nullptr : master->Accept(host(), false);
                   if (wire_ == nullptr) return again();
                   wire_->Attach(Wire::kClient,
                                 {[this, number, life = life()](const std::string& bytes) {
                                    if (life != this->life() || number != connects_) return;
                                    v1::SchedulerEvent event;
                                    event.ParseFromString(bytes);
                                    absl::StatusOr<model::SchedulerEvent> converted =
                                        convert::FromProto(event);
                                    if (converted.ok())
                                      Soon([this, said = *converted] { Take(said); });
                                  },
                                  InThisLife([this, number] {
                                    if (number != connects_) return;
                                    wire_.reset();
                                    After(200, [this] { Connect(); });
                                  })});
                   Subscribe();
                 }),
                 again);
}

void HostileNode::Subscribe() {
  model::Subscribe subscribe;
  subscribe.framework.id = framework_;
  subscribe.framework.name = name();
  subscribe.framework.roles.emplace_back(world().prng().Chance(1, 2) ? "default" : "hostile");
  subscribe.framework.ephemeral = world().prng().Chance(1, 2);
  subscribe.framework.failover_timeout_ms = 3'000;
  Say({++last_call_, subscribe});
}

void HostileNode::Say(model::SchedulerCall call) {
  if (wire_ == nullptr) return;
  observers_->Show(&Observer::SchedulerTold, name(), *wire_, call);
  v1::SchedulerCall out;
  convert::ToProto(call, &out);
  std::string bytes = BytesOf(out);
  if (way_ == Way::kGarbage && framework_.value() != "" && world().prng().Chance(1, 10)) {
    for (int i = 0; i < 3 && !bytes.empty(); ++i) {
      bytes[world().prng().Below(bytes.size())] = static_cast<char>(world().prng().Below(256));
    }
  }
  world().Trace(name(), bytes, [&] { return out.ShortDebugString(); });
  wire_->Send(Wire::kClient, std::move(bytes));
}

void HostileNode::Take(const model::SchedulerEvent& event) {
  if (const auto* subscribed = std::get_if<model::Subscribed>(&event)) {
    framework_ = subscribed->framework;
  } else if (std::holds_alternative<model::Heartbeat>(event)) {
    Say({0, model::HeartbeatAnswer{}});
  } else if (const auto* offers = std::get_if<model::Offers>(&event)) {
    TakeOffers(offers->offers);
  } else if (const auto* status = std::get_if<model::TaskStatus>(&event)) {
    statuses_.push_back(*status);
    if (way_ == Way::kNeverAcknowledges || status->sequence == 0) return;
    Say({0, model::Acknowledge{status->task, status->agent, status->attempt, status->sequence}});
  } else if (std::holds_alternative<model::StreamError>(event)) {
    framework_ = model::FrameworkId();  // As a new one, then.
  }
}

void HostileNode::TakeOffers(const std::vector<model::Offer>& offers) {
  Prng& prng = world().prng();
  for (const model::Offer& offer : offers) {
    if (offers_.size() < 200) offers_.push_back(offer);
    switch (way_) {
      case Way::kHoarder:
      case Way::kReconnectLoop:
      case Way::kGarbage:
        break;
      case Way::kRefusesAll: {
        model::Decline decline;
        decline.offers = {offer.id};
        if (prng.Chance(1, 2)) decline.refuse_ms = prng.Between(0, 10'000);
        Say({++last_call_, decline});
        break;
      }
      case Way::kNeverAcknowledges: {
        model::TaskSpec task;
        // At times one that it has used before: a new leader may not know yet.
        const bool again = last_task_ > 0 && prng.Chance(1, 3);
        task.id = model::TaskId(absl::StrCat(
            name(), "-", again ? prng.Between(1, static_cast<int64_t>(last_task_)) : ++last_task_));
        absl::StatusOr<Resources> some = offer.resources.Pick({{kCpus, 100}, {kMem, 32 << 20}});
        if (!some.ok()) break;
        task.resources = *some;
        Program program;
        program.run_ms = prng.Between(1, 2'000);
        task.payload = std::make_shared<const std::string>(program.ToPayload());
        task.intent_id = absl::StrCat("i", last_call_);
        model::Accept accept;
        accept.offers = {offer.id};
        accept.tasks = {task};
        Say({++last_call_, accept});
        break;
      }
    }
  }
}

void HostileNode::Act() {
  const int64_t every = way_ == Way::kGarbage || way_ == Way::kReconnectLoop ? 300 : 2'000;
  After(world().prng().Between(1, every), [this] {
    if (way_ == Way::kReconnectLoop) {
      if (wire_ != nullptr) wire_->Die(Wire::kClient);
      wire_.reset();
      Connect();
    } else if (way_ == Way::kGarbage) {
      Say(Nonsense());
    }
    Act();
  });
}

model::SchedulerCall HostileNode::Nonsense() {
  Prng& prng = world().prng();
  const auto offer = [&]() -> model::OfferId {
    if (offers_.empty() || prng.Chance(1, 4)) {
      return {static_cast<uint64_t>(prng.Between(0, 9)),
              static_cast<uint64_t>(prng.Between(0, 99))};
    }
    return offers_[prng.Below(offers_.size())].id;
  };
  const auto status = [&]() -> model::TaskStatus {
    return statuses_.empty() ? model::TaskStatus() : statuses_[prng.Below(statuses_.size())];
  };
  model::SchedulerCall call;
  call.call_id = prng.Chance(1, 10) ? last_call_ : ++last_call_;
  switch (prng.Below(11)) {
    case 0:
    case 1:
    case 2: {
      model::Accept accept;
      accept.offers = {offer()};
      if (prng.Chance(1, 4)) accept.offers.push_back(offer());
      const int64_t tasks = prng.Between(0, 2);
      for (int64_t i = 0; i < tasks; ++i) {
        model::TaskSpec task;
        // Often one that it has used before.
        task.id = model::TaskId(absl::StrCat(name(), "-", prng.Between(1, 5)));
        const char* texts[] = {"cpus:0.1;mem:32MiB", "cpus:1000",         "ports:[31000-31000]", "",
                               "licences:1",         "cpus:0.5;mem:64MiB"};
        absl::StatusOr<Resources> resources = Resources::Parse(texts[prng.Below(6)]);
        if (resources.ok()) task.resources = *resources;
        Program program;
        program.run_ms = prng.Between(1, 3'000);
        task.payload = std::make_shared<const std::string>(program.ToPayload());
        task.intent_id = absl::StrCat("i", last_call_);
        accept.tasks.push_back(std::move(task));
      }
      call.call = accept;
      break;
    }
    case 3:
      call.call = model::Decline{{offer()}, prng.Between(-5, 1'000'000'000), {}};
      break;
    case 4:
      call.call = model::Kill{model::TaskId(absl::StrCat(name(), "-", prng.Between(1, 9))), {}, {}};
      break;
    case 5: {
      model::TaskStatus about = status();
      call.call = model::Acknowledge{about.task, about.agent, about.attempt,
                                     about.sequence + prng.Below(2)};
      break;
    }
    case 6:
      call.call = model::Reconcile{{{model::TaskId("f1-1"), status().agent}}};
      break;
    case 7:
      call.call = model::Suppress{{prng.Chance(1, 2) ? "default" : "no/such/role"}};
      break;
    case 8:
      call.call = model::Revive{};
      break;
    case 9: {
      model::SetDemand demand;
      demand.declared = true;
      if (prng.Chance(1, 2)) {
        // Parts of what exists in whole items only.
        demand.demands.push_back({"default", {{"zones", prng.Between(1, 2'500)}}, 1, {}, "x"});
      } else {
        demand.demands.push_back({"default",
                                  {{kCpus, prng.Between(-1, 1'000'000'000'000)}},
                                  prng.Between(-1, 1'000'000'000),
                                  {},
                                  "x"});
      }
      call.call = demand;
      break;
    }
    default: {
      // Somebody else's offer, task and agent.
      model::Subscribe again;
      again.framework.name = name();
      again.framework.roles = {"default"};
      call.call = again;
      break;
    }
  }
  return call;
}

}  // namespace proffer::sim
