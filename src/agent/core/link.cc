// The agent's side of the control stream.
#include "agent/core/link.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/patience.h"
#include "common/base/simulation.h"

namespace proffer::agent {
namespace {

// About what a summary takes on the wire.
int64_t EstimatedBytes(const model::TaskSummary& summary) {
  size_t bytes = 64 + summary.key.framework.value().size() + summary.key.task.value().size() +
                 summary.name.size() + summary.role.size() + summary.intent_id.size() +
                 summary.message.size();
  for (const Resource& item : summary.resources.items()) {
    bytes += 16 + item.name.size();
    for (const Reservation& level : item.reservations) {
      bytes += 4 + level.role.size() + level.principal.size();
    }
    if (item.disk.has_value()) {
      bytes += 8 + item.disk->source_path.size() + item.disk->volume_id.size() +
               item.disk->container_path.size();
    }
    if (const auto* ranges = std::get_if<Ranges>(&item.value)) {
      bytes += 12 * ranges->ranges().size();
    } else if (const auto* set = std::get_if<TextSet>(&item.value)) {
      for (const std::string& text : *set) bytes += 2 + text.size();
    }
  }
  return static_cast<int64_t>(bytes);
}

model::TaskSummary Summarise(const Task& task) {
  model::TaskSummary summary;
  summary.key = task.key();
  summary.name = task.launch->task.name;
  summary.attempt = task.attempt();
  summary.role = task.launch->role;
  summary.state = task.progress.state;
  summary.resources = task.launch->task.resources;
  summary.intent_id = task.launch->task.intent_id;
  summary.unacknowledged = !task.progress.unacknowledged.empty();
  summary.reason = task.progress.reason;
  summary.message = task.progress.message;
  return summary;
}

}  // namespace

Link::Link(const Config& config, const TaskTable* tasks)
    : config_(config), tasks_(tasks), prng_(config.seed) {}

void Link::Start(const Turn& turn) {
  last_contact_ = turn.now;
  const bool same_total =
      identity_.resources_generation != 0 && identity_.total == config_.info.resources;
  if (same_total && identity_.boot_id == config_.boot_id) return;
  if (!same_total) {
    ++identity_.resources_generation;
    identity_.total = config_.info.resources;
  }
  identity_.boot_id = config_.boot_id;
  SaveIdentity(turn);
}

void Link::SaveIdentity(const Turn& turn) { turn.journal->identity_seq = turn.Write(identity_); }

void Link::Connect(const Turn& turn) {
  if (stopped_ || gone()) return;
  int64_t delay_ms = 0;
  if (failures_ > 0) {
    const int doublings = std::min(failures_ - 1, 20);
    const int64_t ceiling =
        std::min(config_.reconnect_max_ms, config_.reconnect_min_ms << doublings);
    delay_ms = prng_.Between(ceiling / 2, ceiling);
    if (MAYBE("an agent connects as late as it may")) delay_ms = config_.reconnect_max_ms;
  }
  turn.effects->connect =
      agent::Connect{delay_ms, GrowingPatienceMs(config_.greeting_timeout_ms, failures_)};
  ++failures_;
}

void Link::OnUp(const Turn& turn, uint64_t link) {
  if (stopped_ || gone()) return;
  number_ = link;
  state_ = State::kGreeted;
  silence_ms_ = GrowingPatienceMs(config_.welcome_timeout_ms, failures_ - 1);
  silence_deadline_ = turn.now + silence_ms_;
  Hello(turn);
}

void Link::Hello(const Turn& turn) {
  model::AgentHello hello;
  hello.version = model::ThisVersion();
  hello.cluster_id = identity_.cluster_id;
  hello.agent = identity_.agent;
  hello.info = config_.info;
  hello.boot_id = config_.boot_id;
  hello.resources_generation = identity_.resources_generation;
  hello.highest_epoch = identity_.highest_epoch;
  hello.tasks = static_cast<int64_t>(tasks_->all().size());
  turn.Send(0, number_, std::move(hello));
}

void Link::GoDown() {
  state_ = State::kDown;
  number_ = 0;
  silence_deadline_ = Time::Never();
  report_.clear();
  report_next_ = 0;
  report_sent_ = 0;
}

void Link::OnDown(const Turn& turn, uint64_t link) {
  if (link != number_) return;  // One that was dropped before.
  if (state_ == State::kWelcomed) REACHED("an agent's connection breaks before it is registered");
  GoDown();
  Connect(turn);
}

void Link::OnLeaderFound(const Turn& turn) {
  // Not at once: all agents are told at the same time, and it may have a registry to read.
  failures_ = std::min(failures_, 1);
  // An attempt at the former one is about to be given up, and what comes then must not wait for as
  // long as that one made us. Without any failure there is nothing to hurry.
  if (number_ != 0 || failures_ == 0) return;
  Connect(turn);
}

void Link::Drop(const Turn& turn, std::string reason) {
  if (number_ == 0) return;
  turn.effects->drop_link = DropLink{number_, std::move(reason)};
  GoDown();
  Connect(turn);
}

void Link::Stop(const Turn& turn, uint64_t after_seq, model::Refusal reason, std::string message) {
  stopped_ = true;
  if (number_ != 0) turn.effects->drop_link = DropLink{number_, message};
  GoDown();
  turn.effects->stop = agent::Stop{after_seq, reason, std::move(message)};
}

void Link::Heard(Time received) {
  if (state_ == State::kGreeted) return;  // Until its welcome it might be anybody.
  last_contact_ = std::max(last_contact_, received);
  silence_deadline_ = last_contact_ + silence_ms_;
}

void Link::OnWelcome(const Turn& turn, const model::Welcome& welcome) {
  if (state_ != State::kGreeted) return Drop(turn, "the master said welcome twice");
  if (!model::Compatible(model::ThisVersion(), welcome.version)) {
    return Drop(turn, absl::StrCat("the master's version ", welcome.version.ToString(),
                                   " does not talk to ", model::ThisVersion().ToString()));
  }
  const bool foreign = !identity_.cluster_id.empty() && identity_.cluster_id != welcome.cluster_id;
  if (foreign && !MUTANT("amnesia-accepted")) {
    return Stop(turn, 0, model::Refusal::kWrongCluster,
                absl::StrCat("this work directory belongs to cluster ", identity_.cluster_id,
                             ", but the master leads cluster ", welcome.cluster_id,
                             "; point the agent at its own cluster, or give it an empty work "
                             "directory"));
  }
  const bool former = welcome.epoch < identity_.highest_epoch && !MUTANT("old-epoch-obeyed");
  if (former || welcome.epoch == 0) {
    return Drop(turn,
                absl::StrCat("the master's epoch ", welcome.epoch,
                             " is over; the agent has obeyed epoch ", identity_.highest_epoch));
  }
  if (welcome.cluster_id.empty() || welcome.agent.empty()) {
    return Drop(turn, "the master's welcome lacks a cluster id or an agent id");
  }
  if (!identity_.agent.empty() && identity_.agent != welcome.agent) {
    return Drop(turn, absl::StrCat("the master calls this agent ", welcome.agent.value(),
                                   ", but it is ", identity_.agent.value()));
  }
  const bool changed = identity_.cluster_id != welcome.cluster_id ||
                       identity_.agent != welcome.agent || identity_.highest_epoch != welcome.epoch;
  if (changed) {
    if (!identity_.agent.empty()) REACHED("an agent with an id takes up another epoch");
    identity_.cluster_id = welcome.cluster_id;
    identity_.agent = welcome.agent;
    identity_.highest_epoch = welcome.epoch;
    // From here on everything waits for this record: see Turn.
    SaveIdentity(turn);
  }
  state_ = State::kWelcomed;
  ping_ms_ = welcome.ping_ms;
  if (welcome.unreachable_ms > 0) silence_ms_ = welcome.unreachable_ms;
  Heard(turn.now);
}

void Link::OnSendTasks(const Turn& turn, const model::SendTasks& order) {
  if (order.cursor == 0) {
    report_.clear();
    for (const auto& [attempt, task] : tasks_->all()) report_.push_back(attempt);
    report_next_ = 0;
    report_sent_ = 0;
  } else if (order.cursor != report_sent_) {
    return Drop(turn, absl::StrCat("the master asked for tasks from ", order.cursor, " on, but ",
                                   report_sent_, " were sent"));
  }
  const int64_t most = static_cast<int64_t>(limits::kChunkBytes);
  int64_t max_bytes = order.max_bytes > 0 ? std::min(order.max_bytes, most) : most;
  if (MAYBE("report one task at a time")) max_bytes = 1;
  model::TaskChunk chunk;
  chunk.cursor = order.cursor;
  int64_t bytes = 0;
  for (; report_next_ < report_.size(); ++report_next_) {
    const Task* task = tasks_->Find(report_[report_next_]);
    if (task == nullptr) continue;  // Acknowledged and forgotten meanwhile.
    if (SIMULATED && task->terminal())
      REACHED("an agent reports a task whose end is not acknowledged");
    if (MUTANT("terminal-left-out-of-reregistration") && task->terminal()) continue;
    if (MUTANT("living-left-out-of-reregistration") && !task->terminal()) continue;
    model::TaskSummary summary = Summarise(*task);
    const int64_t more = EstimatedBytes(summary);
    if (!chunk.tasks.empty() && bytes + more > max_bytes) break;
    bytes += more;
    chunk.tasks.push_back(std::move(summary));
  }
  report_sent_ += static_cast<int64_t>(chunk.tasks.size());
  chunk.last = report_next_ == report_.size();
  // What is reported must not be forgotten in a crash, so every record so far goes first.
  turn.Send(turn.journal->last_seq, number_, std::move(chunk));
}

void Link::OnRegistered() {
  state_ = State::kRegistered;
  failures_ = 0;
  report_.clear();
}

void Link::OnPing(const Turn& turn, const model::Ping& ping) {
  turn.Send(0, number_, model::Pong{ping.n});
}

void Link::OnOpenData(const Turn& turn) {
  turn.effects->open_data =
      OpenDataConnection{turn.journal->identity_seq, identity_.agent, identity_.highest_epoch};
}

void Link::RememberGone(const Turn& turn) {
  REACHED("an agent hears that it was declared gone");
  if (number_ != 0) turn.effects->drop_link = DropLink{number_, "declared gone"};
  GoDown();
  identity_.gone = true;
  SaveIdentity(turn);
}

void Link::ForgetIdentity(const Turn& turn) {
  identity_.agent = model::AgentId();
  identity_.gone = false;
  SaveIdentity(turn);
  Stop(turn, turn.journal->last_seq, model::Refusal::kAgentGone,
       "an operator declared this agent gone; all its tasks were stopped, and when it is started "
       "again it will be a new agent");
}

void Link::Tick(const Turn& turn) {
  if (turn.now < silence_deadline_ || number_ == 0) return;
  if (state_ == State::kGreeted) REACHED("an agent waits for a welcome in vain");
  if (state_ == State::kRegistered) REACHED("an agent leaves a master that fell silent");
  Drop(turn, absl::StrCat("the master was silent for ", silence_ms_, " ms"));
}

void Link::ForgiveSilence(Time now) {
  if (MUTANT("gap-not-forgiven")) return;
  if (number_ != 0) silence_deadline_ = now + silence_ms_;
}

}  // namespace proffer::agent
