#include "unit/master/chaos.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "master/core/world.h"
#include "unit/master/effect_text.h"

namespace proffer::master {
namespace {

constexpr const char* kRoles[] = {"web", "db", "web/a", "web/b", "*", "default"};
constexpr const char* kTotals[] = {
    "cpus:4;mem:8GiB",
    "cpus:2;mem:4GiB;ports:[31000-31009]",
    "cpus:8;mem:16GiB;cpus@web:4;mem@web:2GiB;ports@db:[31000-31004];ports:[31005-31009]",
    "cpus:1",
    "cpus:4;mem:8GiB;gpus:2;zones:{a,b,c}",
    "cpus:9007199254740.992;mem:8192TiB",
};
constexpr const char* kPieces[] = {
    "cpus:1",
    "cpus:0.5;mem:1GiB",
    "mem:512MiB",
    "ports:[31000-31000]",
    "cpus@web:1",
    "cpus:2;mem:4GiB",
    "zones:{a}",
    "gpus:1",
    "cpus:9007199254740.992",
    "ports:[31003-31006]",
    "cpus:9000000000000000",
};

int64_t Extreme(Prng* prng) {
  constexpr int64_t kExtremes[] = {INT64_MIN, -1, 0, 1, 1000, 3'600'000, 3'600'001, INT64_MAX};
  return kExtremes[prng->Below(8)];
}

}  // namespace

Chaos::Chaos(uint64_t seed) : prng_(seed) {
  config_.cluster_id = "c1";
  config_.epoch = 1;
  config_.seed = prng_.Next();
  config_.valve_min_agents = prng_.Between(2, 10);
  config_.unreachable_per_minute = prng_.Between(1, 10);
  config_.max_outstanding_offers = static_cast<int>(prng_.Between(1, 20));
  config_.statuses_per_heartbeat = static_cast<int>(prng_.Between(1, 10));
  agents_.resize(6);
  for (size_t i = 0; i < agents_.size(); ++i) {
    agents_[i].version = model::ThisVersion();
    agents_[i].info.facts.hostname = absl::StrCat("host", i);
    agents_[i].info.resources = SomeResources(true);
    agents_[i].chunk = prng_.Between(1, 5);
  }
  schedulers_.resize(5);
  for (size_t i = 0; i < schedulers_.size(); ++i) {
    schedulers_[i].subscribe.version = model::ThisVersion();
    schedulers_[i].subscribe.framework.name = absl::StrCat("f", i);
    schedulers_[i].subscribe.framework.roles = {kRoles[i], kRoles[i + 1]};
    schedulers_[i].subscribe.framework.ephemeral = prng_.Chance(1, 3);
    schedulers_[i].subscribe.framework.failover_timeout_ms = prng_.Between(0, 100'000);
  }
  BeginCore();
}

void Chaos::BeginCore() {
  Effects effects;
  last_seq_ = 0;
  core_ = std::make_unique<Core>(config_, registry_, now_, 0, &effects);
  Judge({}, effects);
}

void Chaos::Untrue(std::string sentence) {
  untrue_.push_back(absl::StrCat("at ", now_.ms, " ms: ", sentence));
}

// --- What is said to the core ---

template <typename Id>
Id Chaos::Pick(const std::vector<Id>& known, Id garbage) {
  if (known.empty() || prng_.Chance(1, 20)) return garbage;
  // The newest ones mostly.
  const size_t among = std::min<size_t>(known.size(), prng_.Chance(1, 4) ? known.size() : 12);
  return known[known.size() - 1 - prng_.Below(among)];
}

model::OfferId Chaos::SomeOffer(StreamId stream) {
  const std::vector<model::OfferId>& own = offers_of_[stream];
  if (!own.empty() && !prng_.Chance(1, 6)) return own[own.size() - 1 - prng_.Below(own.size()) / 2];
  return Pick(offers_, {prng_.Below(4), prng_.Next()});
}
model::AttemptId Chaos::SomeAttempt() { return Pick(attempts_, {prng_.Below(4), prng_.Next()}); }
model::TaskId Chaos::SomeTask() { return model::TaskId(absl::StrCat("t", prng_.Below(60))); }
model::AgentId Chaos::SomeAgent() { return Pick(agent_ids_, model::AgentId("A-garbage")); }
model::FrameworkId Chaos::SomeFramework() {
  return Pick(framework_ids_, model::FrameworkId("F-garbage"));
}

Resources Chaos::SomeResources(bool whole_agent) {
  return *Resources::Parse(whole_agent ? kTotals[prng_.Below(std::size(kTotals))]
                                       : kPieces[prng_.Below(std::size(kPieces))]);
}

std::vector<std::string> Chaos::SomeRoles() {
  std::vector<std::string> roles;
  for (uint64_t i = prng_.Below(3); i > 0; --i) roles.push_back(kRoles[prng_.Below(6)]);
  if (prng_.Chance(1, 30)) roles.push_back("not a role//");
  return roles;
}

model::TaskStatus Chaos::Status() {
  model::TaskStatus status;
  status.task = SomeTask();
  status.attempt = SomeAttempt();
  status.agent = SomeAgent();
  status.state = static_cast<model::TaskState>(prng_.Below(model::kTaskStateMax + 1));
  status.sequence = prng_.Below(4);
  return status;
}

model::TaskSummary Chaos::Summary() {
  model::TaskSummary summary;
  summary.key = {SomeFramework(), SomeTask()};
  summary.attempt = SomeAttempt();
  summary.role = kRoles[prng_.Below(6)];
  summary.state = static_cast<model::TaskState>(prng_.Below(model::kTaskStateMax + 1));
  summary.resources = SomeResources(prng_.Chance(1, 8));
  summary.unacknowledged = prng_.Chance(1, 2);
  return summary;
}

Event Chaos::AgentEvent() {
  FakeAgent& agent = agents_[prng_.Below(agents_.size())];
  const auto said = [&](model::AgentMessage message) {
    const int64_t ago = prng_.Below(3) * 1'000;
    return AgentSaid{agent.stream, Time{now_.ms - ago}, std::move(message)};
  };
  if (agent.stream == 0 || prng_.Chance(1, 30)) {
    if (prng_.Chance(1, 5)) agent.info.resources = SomeResources(true);
    if (prng_.Chance(1, 30)) agent.id = SomeAgent();
    if (prng_.Chance(1, 8)) {
      const model::TaskSummary summary = Summary();
      agent.tasks[{summary.key, summary.attempt}].summary = summary;
    }
    if (prng_.Chance(1, 8) && !agent.tasks.empty()) agent.tasks.erase(agent.tasks.begin());
    if (agent.stream == 0 || !prng_.Chance(1, 30)) agent.stream = ++last_stream_;
    return said(agent.Hello());
  }
  if (!agent.tasks.empty() && prng_.Chance(2, 3)) {
    auto it = agent.tasks.begin();
    std::advance(it, prng_.Below(agent.tasks.size()));
    model::TaskStatus status = Status();
    if (auto message = agent.Change(it->first.first.task.value(), status)) return said(*message);
  }
  switch (prng_.Below(8)) {
    case 0:
      return AgentStreamClosed{std::exchange(agent.stream, 0)};
    case 1: {
      model::TaskStatus status = Status();
      const model::TaskState latest = Status().state;
      return said(model::AgentUpdate{SomeFramework(), status, latest});
    }
    case 2: {
      model::TaskChunk chunk;
      chunk.cursor = static_cast<int64_t>(prng_.Below(3));
      for (uint64_t i = prng_.Below(4); i > 0; --i) chunk.tasks.push_back(Summary());
      chunk.last = prng_.Chance(1, 2);
      return said(std::move(chunk));
    }
    case 3:
      return said(std::monostate{});
    case 4:
      return said(model::Goodbye{"tired"});
    default:
      return said(model::Pong{prng_.Below(5)});
  }
}

model::SchedulerCall Chaos::Call(StreamId stream) {
  const auto refuse = [this]() -> std::optional<int64_t> {
    if (prng_.Chance(1, 2)) return std::nullopt;
    return prng_.Chance(1, 6) ? Extreme(&prng_) : static_cast<int64_t>(prng_.Below(20'000));
  };
  switch (prng_.Below(16)) {
    case 0:
    case 1:
    case 2:
    case 3: {
      model::Accept accept;
      accept.offers.push_back(SomeOffer(stream));
      if (prng_.Chance(1, 5)) accept.offers.push_back(SomeOffer(stream));
      for (uint64_t i = prng_.Below(4); i > 0; --i) {
        model::TaskSpec task;
        task.id = SomeTask();
        task.payload = std::make_shared<const std::string>();
        const auto offered = offered_.find(accept.offers[0]);
        if (offered != offered_.end() && prng_.Chance(1, 3)) {
          task.resources = offered->second;
        } else if (!prng_.Chance(1, 20)) {
          task.resources = SomeResources(false);
        }
        if (prng_.Chance(1, 20)) task.kill_grace_ms = Extreme(&prng_);
        accept.tasks.push_back(std::move(task));
      }
      accept.refuse_ms = refuse();
      return {0, std::move(accept)};
    }
    case 4: {
      model::Decline decline;
      for (uint64_t i = prng_.Below(4); i > 0; --i) decline.offers.push_back(SomeOffer(stream));
      decline.refuse_ms = refuse();
      return {0, std::move(decline)};
    }
    case 5:
      return {0, model::Suppress{SomeRoles()}};
    case 6:
      return {0, model::Revive{SomeRoles()}};
    case 7: {
      model::SetDemand set;
      set.declared = prng_.Chance(3, 4);
      for (uint64_t i = prng_.Below(4); i > 0; --i) {
        model::Demand demand;
        demand.role = kRoles[prng_.Below(6)];
        demand.shape = SomeResources(false).ToQuantities();
        demand.count = prng_.Chance(1, 5) ? Extreme(&prng_) : static_cast<int64_t>(prng_.Below(5));
        if (prng_.Chance(1, 10)) demand.shape.Set(absl::StrCat("odd", prng_.Below(9)), 1);
        if (prng_.Chance(1, 10)) demand.shape.Set(kCpus, INT64_MAX);
        set.demands.push_back(std::move(demand));
      }
      return {0, std::move(set)};
    }
    case 8: {
      model::Kill kill{SomeTask(), {}, {}};
      if (prng_.Chance(1, 2)) kill.attempt = SomeAttempt();
      if (prng_.Chance(1, 2)) kill.grace_ms = Extreme(&prng_);
      return {0, std::move(kill)};
    }
    case 9:
    case 10:
      return {0, model::Acknowledge{SomeTask(), SomeAgent(), SomeAttempt(), prng_.Below(4)}};
    case 11: {
      model::Reconcile reconcile;
      for (uint64_t i = prng_.Below(8); i > 0; --i)
        reconcile.tasks.push_back({SomeTask(), SomeAgent()});
      return {0, std::move(reconcile)};
    }
    case 12:
      if (prng_.Chance(2, 3)) return {0, model::HeartbeatAnswer{}};
      return {0, model::UpdateFramework{SomeRoles(), static_cast<int64_t>(prng_.Below(50'000)),
                                        SomeRoles()}};
    case 13:
      if (prng_.Chance(1, 20)) return {0, model::Teardown{}};
      return {0, model::HeartbeatAnswer{}};
    case 14:
      return {0, std::monostate{}};
    default: {
      model::Subscribe subscribe;
      subscribe.version = model::ThisVersion();
      subscribe.framework.name = "again";
      return {0, std::move(subscribe)};
    }
  }
}

Event Chaos::SchedulerEvent() {
  FakeScheduler& scheduler = schedulers_[prng_.Below(schedulers_.size())];
  const uint64_t call_id = prng_.Chance(1, 10) ? 0 : ++scheduler.last_call;
  if (scheduler.stream == 0 || prng_.Chance(1, 60)) {
    if (prng_.Chance(1, 20)) scheduler.subscribe.framework.id = SomeFramework();
    if (prng_.Chance(1, 4)) scheduler.subscribe.framework.id = model::FrameworkId();
    if (prng_.Chance(1, 10)) scheduler.subscribe.framework.roles = SomeRoles();
    if (prng_.Chance(1, 10)) {
      scheduler.subscribe.framework.ephemeral = !scheduler.subscribe.framework.ephemeral;
    }
    if (prng_.Chance(1, 20)) scheduler.principal = absl::StrCat("local:", prng_.Below(2));
    scheduler.stream = ++last_stream_;
    return SchedulerSaid{scheduler.stream, scheduler.principal, {call_id, scheduler.subscribe}};
  }
  if (prng_.Chance(1, 30)) {
    return SchedulerStreamClosed{std::exchange(scheduler.stream, 0)};
  }
  if (prng_.Chance(1, 30)) return SchedulerSaidNonsense{scheduler.stream, call_id, "nonsense"};
  if (!scheduler.to_acknowledge.empty() && prng_.Chance(1, 3)) {
    const model::TaskStatus status = scheduler.to_acknowledge.begin()->second;
    scheduler.to_acknowledge.erase(scheduler.to_acknowledge.begin());
    return SchedulerSaid{
        scheduler.stream,
        scheduler.principal,
        {0, model::Acknowledge{status.task, status.agent, status.attempt, status.sequence}}};
  }
  model::SchedulerCall call = Call(scheduler.stream);
  call.call_id = call_id;
  return SchedulerSaid{scheduler.stream, scheduler.principal, std::move(call)};
}

Event Chaos::OperatorEvent() {
  OperatorAsked asked;
  asked.request = prng_.Next();
  asked.what = ExplainAsked{};
  switch (prng_.Below(12)) {
    case 0:
      if (!prng_.Chance(1, 4)) break;
      asked.what = MarkGoneAsked{SomeAgent()};
      break;
    case 1:
      asked.what = TeardownAsked{SomeFramework()};
      break;
    case 2:
      asked.what = WeightAsked{kRoles[prng_.Below(6)], Extreme(&prng_)};
      break;
    case 3:
      break;
    case 4:
      asked.what = DataAsked{SomeAgent()};
      break;
    default:
      asked.what = KillTaskAsked{{SomeFramework(), SomeTask()}, Extreme(&prng_)};
  }
  return asked;
}

Event Chaos::RandomEvent() {
  const uint64_t which = prng_.Below(100);
  if (which < 2) return OperatorEvent();
  if (which < 3) return AgentStreamClosed{1 + prng_.Below(last_stream_ + 1)};
  if (which < 4) return SchedulerStreamClosed{1 + prng_.Below(last_stream_ + 1)};
  if (which < 5) return SchedulerSaid{1 + prng_.Below(last_stream_ + 1), "stranger", Call(0)};
  return which < 45 ? AgentEvent() : SchedulerEvent();
}

// --- Turns ---

void Chaos::Advance() {
  const uint64_t how = prng_.Below(100);
  if (how < 85) {
    now_ = now_ + static_cast<int64_t>(prng_.Below(100));
  } else if (how < 99) {
    const Time next = core_->NextDeadline();
    if (!next.IsNever()) now_ = std::max(now_, next);
  } else {
    now_ = now_ + static_cast<int64_t>(prng_.Below(200'000));  // We were stopped.
  }
}

void Chaos::FailOver() {
  core_.reset();
  reactions_.clear();
  ended_.clear();
  for (FakeAgent& agent : agents_) agent.stream = 0;
  for (FakeScheduler& scheduler : schedulers_) scheduler.stream = 0;
  ++config_.epoch;
  config_.seed = prng_.Next();
  now_ = now_ + static_cast<int64_t>(prng_.Below(10'000));
  BeginCore();
}

void Chaos::Step() {
  if (prng_.Chance(1, 400)) FailOver();
  Advance();
  std::vector<Event> events;
  for (uint64_t i = prng_.Below(6); i > 0; --i) events.push_back(RandomEvent());
  while (!reactions_.empty() && !prng_.Chance(1, 6)) {
    events.push_back(std::move(reactions_.front()));
    reactions_.pop_front();
  }
  Turn(events);
}

void Chaos::Turn(const std::vector<Event>& events) {
  Effects effects;
  core_->BeginTurn(now_, 0, &effects);
  for (const Event& event : events) core_->Step(event);
  core_->EndTurn();
  Judge(events, effects);
}

void Chaos::Judge(const std::vector<Event>& events, const Effects& effects) {
  if (absl::Status status = core_->CheckInvariants(); !status.ok()) {
    Untrue(std::string(status.message()));
  }
  if (core_->NextDeadline() <= now_) Untrue("something is due for ever");
  for (const WriteRecord& record : effects.records) {
    if (record.seq != ++last_seq_) Untrue(absl::StrCat("record ", record.seq, " is not next"));
    registry_.Apply(record.record);
  }
  const auto check_stream = [&](StreamId stream, uint64_t after_seq, bool last) {
    if (stream == 0) Untrue("something is said to nobody");
    if (after_seq > last_seq_) Untrue("something waits for a record that was not written");
    if (last) ended_.insert(stream);
  };
  for (const ToAgent& out : effects.to_agents) check_stream(out.stream, out.after_seq, out.last);
  for (const ToScheduler& out : effects.to_schedulers) {
    check_stream(out.stream, out.after_seq, out.last);
  }
  JudgeCalls(events, effects);
  Remember(effects);
}

// Every call with an id gets one result, unless its stream has ended or its answer goes on.
void Chaos::JudgeCalls(const std::vector<Event>& events, const Effects& effects) {
  std::map<std::pair<StreamId, uint64_t>, int> results;
  for (const ToScheduler& out : effects.to_schedulers) {
    if (const auto* result = std::get_if<model::CallResult>(&out.event)) {
      ++results[{out.stream, result->call_id}];
      if (result->call_id == 0) Untrue("a call without an id is answered");
    }
  }
  for (const auto& [call, count] : results) {
    if (count > 1) Untrue(absl::StrCat("call ", call.second, " has ", count, " results"));
  }
  for (const Event& event : events) {
    const auto* said = std::get_if<SchedulerSaid>(&event);
    if (said == nullptr || said->call.call_id == 0 || ended_.count(said->stream) > 0) continue;
    if (std::holds_alternative<model::Acknowledge>(said->call.call) ||
        std::holds_alternative<model::HeartbeatAnswer>(said->call.call) ||
        std::holds_alternative<model::Reconcile>(said->call.call)) {
      continue;
    }
    bool subscribed = false;  // Streams that were closed in the same turn get no answer.
    for (const auto& [id, framework] : core_->world().frameworks.all()) {
      subscribed = subscribed || framework.stream == said->stream;
    }
    if (subscribed && results.count({said->stream, said->call.call_id}) == 0) {
      Untrue(absl::StrCat("call ", said->call.call_id, " has no result"));
    }
  }
}

void Chaos::Remember(const Effects& effects) {
  const auto mix = [this](const std::string& text) {
    for (char c : text) {
      fingerprint_ = (fingerprint_ ^ static_cast<unsigned char>(c)) * 1099511628211u;
    }
  };
  for (const WriteRecord& record : effects.records) mix(Text(record.record));
  for (const ToAgent& out : effects.to_agents) {
    mix(Text(out.order));
    if (const auto* welcome = std::get_if<model::Welcome>(&out.order)) {
      agent_ids_.push_back(welcome->agent);
    }
    if (const auto* launch = std::get_if<model::LaunchTask>(&out.order)) {
      attempts_.push_back(launch->attempt);
      ++tasks_launched_;
    }
    for (FakeAgent& agent : agents_) {
      if (agent.stream != out.stream) continue;
      for (model::AgentMessage& answer : agent.Answers(out.order)) {
        reactions_.push_back(AgentSaid{out.stream, now_, std::move(answer)});
      }
      if (out.last) agent.stream = 0;
    }
    if (out.last) reactions_.push_back(AgentStreamClosed{out.stream});
  }
  for (const ToScheduler& out : effects.to_schedulers) {
    mix(Text(out.event));
    if (const auto* subscribed = std::get_if<model::Subscribed>(&out.event)) {
      framework_ids_.push_back(subscribed->framework);
    }
    if (const auto* offers = std::get_if<model::Offers>(&out.event)) {
      for (const model::Offer& offer : offers->offers) {
        offers_.push_back(offer.id);
        offers_of_[out.stream].push_back(offer.id);
        offered_[offer.id] = offer.resources;
        ++offers_seen_;
      }
    }
    for (FakeScheduler& scheduler : schedulers_) {
      if (scheduler.stream != out.stream) continue;
      scheduler.Hear(out.event);
      if (out.last) scheduler.stream = 0;
    }
    if (out.last) reactions_.push_back(SchedulerStreamClosed{out.stream});
  }
}

void Chaos::EndAll() {
  std::vector<Event> events;
  for (const auto& [id, framework] : core_->world().frameworks.all()) {
    events.push_back(OperatorAsked{1, TeardownAsked{id}});
  }
  Turn(events);
  while (!reactions_.empty()) {
    events.assign(reactions_.begin(), reactions_.end());
    reactions_.clear();
    Turn(events);
  }
  // Agents that are not there, or that have lied about what they run, cannot tell its end.
  events.clear();
  for (const auto& [id, agent] : core_->world().agents.all()) {
    if (!agent.tasks.empty()) events.push_back(OperatorAsked{1, MarkGoneAsked{id}});
  }
  Turn(events);
  for (const auto& [id, agent] : core_->world().agents.all()) {
    if (!agent.used.empty() || !agent.offered.empty() || !agent.tasks.empty() ||
        !agent.unaccounted.empty()) {
      Untrue(absl::StrCat("agent ", id.value(), " is still in somebody's hands"));
    }
    if (agent.in_allocator && !(agent.free == agent.info.resources)) {
      Untrue(absl::StrCat("of agent ", id.value(), " not all is free"));
    }
  }
  if (!core_->world().offers.all().empty()) Untrue("there are offers to nobody");
}

}  // namespace proffer::master
