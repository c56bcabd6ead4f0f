#include "master/master.h"

#include <glog/logging.h>

#include <algorithm>
#include <utility>

#include "common/base/clock.h"
#include "common/base/limits.h"
#include "common/base/prng.h"
#include "common/base/status.h"
#include "common/convert/agent.h"
#include "common/convert/scheduler.h"

namespace proffer::master {
namespace {

// Peers of the outbox that are not streams.
constexpr uint64_t kReaders = 0;
constexpr uint64_t kOperators = UINT64_MAX;

// How long a turn may be put off when nothing is due: the watchdog wants to see the loop go round.
constexpr int64_t kLongestWaitMs = 1'000;

}  // namespace

absl::StatusOr<std::unique_ptr<Master>> Master::Start(MasterOptions options,
                                                      rpc::Listeners listeners, Store* store) {
  ASSIGN_OR_RETURN(TakenOver taken_over, TakeOver(store, options.cluster));
  const rpc::ServerLimits limits = options.limits;
  std::unique_ptr<Master> master(new Master(std::move(options), store, std::move(taken_over)));
  ASSIGN_OR_RETURN(master->server_,
                   rpc::Server::Start(std::move(listeners),
                                      {&master->scheduler_service_, &master->agent_service_,
                                       &master->data_, &master->operator_service_},
                                      limits));
  master->server_->SetServing(true);
  return master;
}

Master::Master(MasterOptions options, Store* store, TakenOver taken_over)
    : cluster_id_(taken_over.cluster_id),
      epoch_(taken_over.epoch),
      principal_(auth::LocalPrincipal()),
      mailbox_(limits::kMailboxEvents),
      projection_(cluster_id_, epoch_, UnixNowMs()),
      metrics_(std::make_shared<MasterMetrics>(&projection_, &mailbox_)),
      asking_(&mailbox_),
      data_(epoch_, principal_, options.limits.patience_ms),
      scheduler_service_(&mailbox_, &streams_, principal_, options.limits.patience_ms),
      agent_service_(&mailbox_, &streams_, principal_, options.limits.patience_ms),
      operator_service_(&projection_, &asking_, &data_, principal_, options.limits.patience_ms) {
  options.core.cluster_id = cluster_id_;
  options.core.epoch = epoch_;
  // Every epoch draws ids of its own, also from a fixed seed.
  options.core.seed = Prng(options.seed ^ (epoch_ << 32)).Next();
  writer_ = std::make_unique<StoreWriter>(store, [this](uint64_t seq) {
    mailbox_.PushUrgent({RecordsDurable{seq}, nullptr});
  });
  projection_.SetObserver([this](const v1::Object* before, const v1::Object& after, bool removed) {
    metrics_->Changed(before, after, removed);
  });
  Effects effects;
  unix_ms_ = UnixNowMs();
  core_ =
      std::make_unique<Core>(options.core, taken_over.registry, BootTimeNow(), unix_ms_, &effects);
  CarryOut(effects);
  SendReady();
  watchdog_ =
      std::make_unique<Watchdog>("master core", options.turn_warn_ms, options.turn_fatal_ms);
  core_thread_ = std::thread([this] { RunCore(); });
  LOG(INFO) << "leading cluster " << cluster_id_ << " in epoch " << epoch_ << " with "
            << taken_over.registry.agents.size() << " agents and "
            << taken_over.registry.frameworks.size() << " frameworks in the registry";
}

Master::~Master() {
  if (server_ != nullptr) server_->Shutdown(/*grace_ms=*/200);
  mailbox_.Close();
  core_thread_.join();
  metrics_->Detach();
  writer_.reset();
}

void Master::RunCore() {
  Effects effects;
  std::vector<Mail> mail;
  while (true) {
    const Time deadline = core_->NextDeadline();
    const int64_t wait_ms = std::clamp<int64_t>(
        deadline.IsNever() ? kLongestWaitMs : deadline - BootTimeNow(), 0, kLongestWaitMs);
    if (!mailbox_.TakeAll(wait_ms, &mail)) return;
    watchdog_->Busy();
    const int64_t began_ns = BootTimeNanos();
    unix_ms_ = UnixNowMs();
    core_->BeginTurn(BootTimeNow(), unix_ms_, &effects);
    for (Mail& item : mail) {
      if (const auto* durable = std::get_if<RecordsDurable>(&item.what)) {
        outbox_.Durable(durable->seq);
        metrics_->records().Durable(durable->seq, began_ns);
      } else {
        core_->Step(std::get<Event>(item.what));
      }
      if (item.taken) item.taken();
    }
    core_->EndTurn();
    CarryOut(effects);
    effects.Clear();
    SendReady();
    watchdog_->Idle();
    metrics_->turns().Took(BootTimeNanos() - began_ns);
    projection_.SetLongestTurn(watchdog_->longest_ms());
  }
}

void Master::CarryOut(Effects& effects) {
  for (const std::string& note : effects.notes) LOG(INFO) << note;
  if (!effects.records.empty()) {
    std::vector<Mutation> mutations;
    for (const WriteRecord& write : effects.records) mutations.push_back(ToMutation(write.record));
    metrics_->records().Decided(effects.records.back().seq, BootTimeNanos());
    writer_->Append(effects.records.back().seq, std::move(mutations));
  }
  for (ToAgent& item : effects.to_agents) {
    const uint64_t after = item.after_seq;
    const StreamId stream = item.stream;
    outbox_.Add(after, stream, std::move(item));
  }
  for (ToScheduler& item : effects.to_schedulers) {
    const uint64_t after = item.after_seq;
    const StreamId stream = item.stream;
    outbox_.Add(after, stream, std::move(item));
  }
  if (!effects.deltas.empty()) {
    const uint64_t after = effects.deltas.back().after_seq;
    outbox_.Add(after, kReaders, ToReaders{std::move(effects.deltas), unix_ms_});
  }
  for (OperatorAnswer& answer : effects.answers) {
    const uint64_t after = answer.after_seq;
    outbox_.Add(after, kOperators, std::move(answer));
  }
  for (auto& [request, basis] : effects.explain) asking_.Based(request, std::move(basis));
}

void Master::SendReady() {
  for (auto& [peer, item] : outbox_.TakeReady()) {
    if (auto* to_agent = std::get_if<ToAgent>(&item)) {
      Send(*to_agent);
    } else if (auto* to_scheduler = std::get_if<ToScheduler>(&item)) {
      Send(*to_scheduler);
    } else if (auto* readers = std::get_if<ToReaders>(&item)) {
      projection_.Apply(readers->deltas, readers->unix_ms);
    } else {
      const OperatorAnswer& answer = std::get<OperatorAnswer>(item);
      asking_.Answered(answer.request, answer.outcome);
    }
  }
}

void Master::Send(ToAgent& item) {
  const AgentStream::Pointer stream = streams_.Agent(item.stream);
  if (stream == nullptr) return;
  v1::AgentOrder order;
  convert::ToProto(item.order, &order);
  stream->Send(std::move(order), item.last);
}

void Master::Send(ToScheduler& item) {
  const SchedulerStream::Pointer stream = streams_.Scheduler(item.stream);
  if (stream == nullptr) return;
  v1::SchedulerEvent event;
  convert::ToProto(item.event, &event);
  stream->Send(std::move(event), item.last);
}

}  // namespace proffer::master
