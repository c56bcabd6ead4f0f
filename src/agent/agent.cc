#include "agent/agent.h"

#include <glog/logging.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/checkpoint.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/convert/values.h"
#include "isolator/cgroup/usage.h"
#include "launcher/failpoint.h"

namespace proffer::agent {
namespace {

// Peers of the outbox: each kind keeps its own order.
enum Peer { kContainers, kMaster, kSelf };

constexpr int64_t kLongestWaitMs = 1'000;

// What happened to a container, in a line.
struct Described {
  std::string operator()(const ContainerStarted& e) const {
    return "attempt " + e.attempt.ToString() + " runs as pid " + std::to_string(e.pid);
  }
  std::string operator()(const LaunchFailed& e) const {
    return "attempt " + e.attempt.ToString() + " did not start: " + e.message;
  }
  std::string operator()(const ContainerEnded& e) const {
    return "attempt " + e.attempt.ToString() + " ended" +
           (e.exit_code ? ", exit code " + std::to_string(*e.exit_code) : "") +
           (e.signal ? ", signal " + std::to_string(*e.signal) : "");
  }
  std::string operator()(const ShimLost& e) const {
    return "attempt " + e.attempt.ToString() + " lost its shim";
  }
  std::string operator()(const LeaderFound&) const { return ""; }
  std::string operator()(const LinkDown& e) const { return "master not connected: " + e.reason; }
  template <typename Other>
  std::string operator()(const Other&) const {
    return "";
  }
};

// Places to die at, between hearing of something and deciding on it.
void PassFailpoints(const Event& event) {
  if (const auto* order = std::get_if<OrderReceived>(&event)) {
    if (std::holds_alternative<model::LaunchTask>(order->order)) FAILPOINT("agent:launch-heard");
    if (std::holds_alternative<model::KillTask>(order->order)) FAILPOINT("agent:kill-heard");
    if (std::holds_alternative<model::AckUpdate>(order->order)) FAILPOINT("agent:ack-heard");
  }
  if (std::holds_alternative<ContainerStarted>(event)) FAILPOINT("agent:started-heard");
  if (std::holds_alternative<ContainerEnded>(event)) FAILPOINT("agent:ended-heard");
}

// The same between the record that it waited for and the deed.
void PassFailpoints(const ContainerCommand& command) {
  if (std::holds_alternative<LaunchContainer>(command)) FAILPOINT("agent:launch-durable");
  if (std::holds_alternative<KillContainer>(command)) FAILPOINT("agent:kill-durable");
  if (std::holds_alternative<ForgetContainer>(command)) FAILPOINT("agent:forget-durable");
  if (std::holds_alternative<RecoverContainer>(command)) FAILPOINT("agent:recovering");
}

void PassFailpoints(const model::AgentMessage& message, bool sent) {
  const auto* update = std::get_if<model::AgentUpdate>(&message);
  if (update == nullptr) return;
  const bool ended = model::IsTerminal(update->status.state);
  if (!ended && !sent) FAILPOINT("agent:running-durable");
  if (!ended && sent) FAILPOINT("agent:running-sent");
  if (ended && !sent) FAILPOINT("agent:ended-durable");
  if (ended && sent) FAILPOINT("agent:ended-sent");
}

}  // namespace

absl::StatusOr<std::unique_ptr<Agent>> Agent::Start(AgentOptions options, Store* store) {
  absl::StatusOr<std::vector<Record>> records = ReadRecords(store);
  if (!records.ok()) {
    return Annotate(records.status(),
                    absl::StrCat("the checkpoint in ", options.runner.work_dir, "/checkpoint"));
  }
  std::unique_ptr<Agent> agent(new Agent(std::move(options), store));
  ASSIGN_OR_RETURN(agent->runner_,
                   Runner::Create(agent->options_.runner, [raw = agent.get()](Event event) {
                     raw->mailbox_.PushUrgent(std::move(event));
                   }));
  agent->link_ = std::make_unique<MasterLink>(agent->options_.leader.get(), &agent->mailbox_);
  agent->data_ = std::make_unique<DataLink>(
      &agent->runner_->sandboxes(),
      [raw = agent.get()](const model::TaskKey& key) { return raw->IsLive(key); },
      [raw = agent.get()] { return raw->ReadUsage(); });
  agent->core_ = std::make_unique<Core>(agent->options_.core, *records);
  LOG(INFO) << "agent " << agent->core_->identity().agent << " begins with " << records->size()
            << " records and " << agent->options_.core.info.resources;
  agent->core_thread_ = std::thread([raw = agent.get()] { raw->RunCore(); });
  return agent;
}

Agent::Agent(AgentOptions options, Store* store)
    : options_(std::move(options)), mailbox_(limits::kMailboxEvents) {
  writer_ = std::make_unique<StoreWriter>(
      store, [this](uint64_t seq) { mailbox_.PushUrgent(RecordsDurable{seq}); });
  watchdog_ =
      std::make_unique<Watchdog>("agent core", options_.turn_warn_ms, options_.turn_fatal_ms);
}

Agent::~Agent() {
  mailbox_.Close();
  if (core_thread_.joinable()) core_thread_.join();
  data_.reset();
  link_.reset();
  writer_.reset();
  runner_.reset();
}

void Agent::RunCore() {
  Effects effects;
  core_->Start(BootTimeNow(), &effects);
  CarryOut(effects);
  std::vector<Mail> mail;
  while (true) {
    const Time deadline = std::min(core_->NextDeadline(), connect_at_);
    const int64_t wait_ms = std::clamp<int64_t>(
        deadline.IsNever() ? kLongestWaitMs : deadline - BootTimeNow(), 0, kLongestWaitMs);
    if (!mailbox_.TakeAll(wait_ms, &mail)) return;
    watchdog_->Busy();
    const int64_t began_ns = BootTimeNanos();
    const Time now = BootTimeNow();
    for (const Mail& item : mail) {
      if (const auto* durable = std::get_if<RecordsDurable>(&item)) {
        metrics_->records().Durable(durable->seq, began_ns);
        outbox_.Durable(durable->seq);
        continue;
      }
      const Event& event = std::get<Event>(item);
      NoteLife(event);
      metrics_->Heard(event, began_ns);
      PassFailpoints(event);
      // What made the core want another one was said before it could know of this.
      if (std::holds_alternative<LinkUp>(event)) connect_at_ = Time::Never();
      effects = Effects();
      core_->Step(now, event, &effects);
      CarryOut(effects);
    }
    effects = Effects();
    core_->Tick(now, &effects);
    CarryOut(effects);
    SendReady();
    if (now >= connect_at_) {
      connect_at_ = Time::Never();
      link_->Connect(greeting_ms_);
    }
    metrics_->turns().Took(BootTimeNanos() - began_ns);
    watchdog_->Idle();
  }
}

void Agent::CarryOut(Effects& effects) {
  if (!effects.checkpoints.empty()) {
    std::vector<Mutation> mutations;
    for (const Checkpoint& checkpoint : effects.checkpoints) {
      std::vector<Mutation> some = ToMutations(checkpoint.record);
      std::move(some.begin(), some.end(), std::back_inserter(mutations));
    }
    metrics_->records().Decided(effects.checkpoints.back().seq, BootTimeNanos());
    writer_->Append(effects.checkpoints.back().seq, std::move(mutations));
    if (std::holds_alternative<TaskRecord>(effects.checkpoints.back().record)) {
      FAILPOINT("agent:launch-recorded");
    }
    if (std::holds_alternative<Tombstone>(effects.checkpoints.back().record)) {
      FAILPOINT("agent:forget-recorded");
    }
  }
  for (CommandContainer& command : effects.commands) {
    outbox_.Add(command.after_seq, kContainers, std::move(command.command));
  }
  for (SendMessage& message : effects.messages) {
    const uint64_t after_seq = message.after_seq;
    outbox_.Add(after_seq, kMaster, std::move(message));
  }
  if (effects.open_data) {
    const uint64_t after_seq = effects.open_data->after_seq;
    outbox_.Add(after_seq, kMaster, *std::move(effects.open_data));
  }
  if (effects.stop) {
    const uint64_t after_seq = effects.stop->after_seq;
    outbox_.Add(after_seq, kSelf, *std::move(effects.stop));
  }
  if (effects.drop_link) {
    LOG(INFO) << "drops the connection to the master: " << effects.drop_link->reason;
    link_->Drop(effects.drop_link->link);
  }
  if (effects.connect) {
    connect_at_ = BootTimeNow() + effects.connect->delay_ms;
    greeting_ms_ = effects.connect->greeting_ms;
  }
  SendReady();
}

void Agent::SendReady() {
  for (auto& [peer, item] : outbox_.TakeReady()) Carry(item);
}

void Agent::Carry(Item& item) {
  if (const auto* command = std::get_if<ContainerCommand>(&item)) {
    if (const auto* launch = std::get_if<LaunchContainer>(command)) {
      Began(launch->launch->attempt, {launch->launch->framework, launch->launch->task.id});
      metrics_->Launching(launch->launch->attempt, BootTimeNanos());
    } else if (const auto* recover = std::get_if<RecoverContainer>(command)) {
      Began(recover->launch->attempt, {recover->launch->framework, recover->launch->task.id});
    }
    PassFailpoints(*command);
    runner_->Do(*command);
  } else if (const auto* message = std::get_if<SendMessage>(&item)) {
    PassFailpoints(message->message, false);
    link_->Send(message->link, message->message);
    PassFailpoints(message->message, true);
  } else if (const auto* open = std::get_if<OpenDataConnection>(&item)) {
    data_->Open(link_->master(), open->agent, open->epoch);
  } else {
    const Stop& stop = std::get<Stop>(item);
    LOG(ERROR) << "stops: " << stop.message;
    options_.on_stop(stop.message);
  }
}

void Agent::NoteLife(const Event& event) {
  const std::string line = std::visit(Described{}, event);
  if (!line.empty()) LOG(INFO) << line;
  if (const auto* order = std::get_if<OrderReceived>(&event)) {
    // Live from the moment it is ordered: readers of its output may come before it runs.
    if (const auto* launch = std::get_if<model::LaunchTask>(&order->order)) {
      Began(launch->attempt, {launch->framework, launch->task.id});
    }
  } else if (const auto* ended = std::get_if<ContainerEnded>(&event)) {
    Ended(ended->attempt);
  } else if (const auto* failed = std::get_if<LaunchFailed>(&event)) {
    Ended(failed->attempt);
  } else if (const auto* cancelled = std::get_if<LaunchCancelled>(&event)) {
    Ended(cancelled->attempt);
  } else if (const auto* lost = std::get_if<ShimLost>(&event)) {
    Ended(lost->attempt);
  }
}

void Agent::Began(const model::AttemptId& attempt, const model::TaskKey& key) {
  MutexLock lock(&live_mutex_);
  live_[attempt] = key;
}

void Agent::Ended(const model::AttemptId& attempt) {
  MutexLock lock(&live_mutex_);
  live_.erase(attempt);
}

v1::AgentUsage Agent::ReadUsage() const {
  const isolator::MachineFacts machine = runner_->machine();
  v1::AgentUsage report;
  if (!machine.contained) return report;
  std::map<model::AttemptId, model::TaskKey> live;
  {
    MutexLock lock(&live_mutex_);
    live = live_;
  }
  for (const auto& [attempt, key] : live) {
    isolator::CgroupUsage usage;
    if (!isolator::ReadCgroupUsage(isolator::RealKernel(), machine.world,
                                   absl::StrCat(machine.cgroup_root, "/", attempt.ToString()),
                                   &usage)) {
      continue;
    }
    v1::TaskUsage* task = report.add_tasks();
    task->set_framework_id(key.framework.value());
    task->set_task_id(key.task.value());
    convert::ToProto(attempt, task->mutable_attempt());
    task->set_cpu_us(static_cast<int64_t>(usage.cpu_us));
    task->set_memory_bytes(static_cast<int64_t>(usage.memory_bytes));
    task->set_memory_peak_bytes(static_cast<int64_t>(usage.memory_peak_bytes));
    task->set_memory_limit_bytes(static_cast<int64_t>(usage.memory_limit_bytes));
    task->set_pids(static_cast<int64_t>(usage.pids));
  }
  return report;
}

bool Agent::IsLive(const model::TaskKey& key) const {
  MutexLock lock(&live_mutex_);
  return std::any_of(live_.begin(), live_.end(),
                     [&key](const auto& entry) { return entry.second == key; });
}

}  // namespace proffer::agent
