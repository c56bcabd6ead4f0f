// The stream, the calls, and the composition. What concerns tasks is in scheduler_tasks.cc.
#include "sdk/core/scheduler_core.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/patience.h"
#include "common/base/simulation.h"

namespace proffer::sdk {
namespace {

constexpr int kSilentHeartbeats = 3;

}  // namespace

SchedulerCore::SchedulerCore(Config config)
    : config_(std::move(config)),
      prng_(config_.seed),
      offers_(config_.offer_hold_ms),
      reconciler_(config_.reconcile_min_ms, config_.reconcile_max_ms),
      suppressed_(config_.suppressed_roles.begin(), config_.suppressed_roles.end()) {
  if (!config_.saved.framework.empty()) config_.framework.id = config_.saved.framework;
  cluster_id_ = config_.saved.cluster_id;
  for (const Intent& intent : config_.saved.intents) {
    KnownTask& task = tasks_.Add(intent.task);
    task.intent_id = intent.intent_id;
    task.agent = intent.agent;
    task.own = true;
    task.in_store = true;
  }
}

// --- Turns ---

void SchedulerCore::Begin(Time now, Effects* effects) {
  // A late turn means that nobody could have been heard: that is no silence of the master's.
  if (now != now_ && !deadline_.IsNever() && now - deadline_ > limits::kLateTurnMs) {
    silence_deadline_ =
        std::max(silence_deadline_ + (now - deadline_), now + silence_ms_ / kSilentHeartbeats);
  }
  now_ = now;
  out_ = effects;
}

void SchedulerCore::Finish() {
  if (!changes_.empty()) {
    out_->saves.push_back({++last_save_, std::exchange(changes_, {})});
  }
  for (auto& [peer, said] : outbox_.TakeReady()) {
    if (auto* delivery = std::get_if<Delivery>(&said)) {
      out_->deliveries.push_back(std::move(*delivery));
      continue;
    }
    SendCall& call = std::get<SendCall>(said);
    if (call.stream != stream_) {  // Its fate was told when the stream broke.
      REACHED("a call is durable only after its stream broke");
      continue;
    }
    if (auto it = pending_.find(call.call.call_id); it != pending_.end()) it->second.sent = true;
    out_->calls.push_back(std::move(call));
  }
  deadline_ = NextDeadline();
}

void SchedulerCore::Start(Time now, Effects* effects) {
  Begin(now, effects);
  if (config_.give_up_after_ms > 0) give_up_deadline_ = now + config_.give_up_after_ms;
  if (!config_.framework.ephemeral) {
    instance_ = config_.saved.instance + 1;
    instance_save_ = Write(PutInstance(instance_));
  }
  Connect();
  Finish();
}

void SchedulerCore::Step(Time now, const Event& event, Effects* effects) {
  if (stopped_) return;
  Begin(now, effects);
  std::visit([this](const auto& what) { On(what); }, event);
  AskWhatIsDue();
  Finish();
}

void SchedulerCore::Tick(Time now, Effects* effects) {
  if (stopped_) return;
  Begin(now, effects);
  if (give_up_deadline_ <= now_) {
    Halt(Stop::Cause::kGaveUp, model::Refusal::kNone,
         absl::StrCat("no master was found for ", config_.give_up_after_ms, " ms"));
  } else if (silence_deadline_ <= now_) {
    REACHED("a scheduler leaves a master that fell silent");
    DropStreamAndConnect(absl::StrCat("the master was silent for ", silence_ms_, " ms"));
  }
  if (const std::vector<model::OfferId> expired = offers_.TakeExpired(now_); !expired.empty()) {
    REACHED("an offer is held for too long and declined");
    Call(0, model::Decline{expired, std::nullopt, model::DeclineReason::kNothingToRun});
    Deliver(OffersVoid{expired, "neither used nor declined in time; declined"});
  }
  AskWhatIsDue();
  Finish();
}

Time SchedulerCore::NextDeadline() const {
  if (stopped_) return Time::Never();
  return std::min(
      {silence_deadline_, give_up_deadline_, offers_.NextDeadline(), reconciler_.NextDeadline()});
}

// --- The stream ---

void SchedulerCore::Connect() {
  int64_t delay_ms = 0;
  if (failures_ > 0) {
    const int64_t ceiling =
        std::min(config_.reconnect_max_ms, config_.reconnect_min_ms << std::min(failures_ - 1, 20));
    delay_ms = prng_.Between(0, ceiling);
    if (MAYBE("a scheduler connects as late as it may")) delay_ms = ceiling;
  }
  out_->connect = sdk::Connect{delay_ms, GrowingPatienceMs(config_.greeting_timeout_ms, failures_)};
  ++failures_;
}

void SchedulerCore::On(const StreamUp& up) {
  stream_ = up.stream;
  silence_ms_ = GrowingPatienceMs(config_.hello_timeout_ms, failures_ - 1);
  silence_deadline_ = now_ + silence_ms_;
  hello_ = {model::ThisVersion(),
            config_.framework,
            {suppressed_.begin(), suppressed_.end()},
            instance_,
            cluster_id_};
  Call(0, hello_, instance_save_);
}

void SchedulerCore::On(const StreamDown& down) {
  if (down.stream != stream_) return;  // Dropped by us before.
  LoseStream(down.reason, false);
  Connect();
}

void SchedulerCore::On(const LeaderFound&) {
  // Also while a stream is being opened: that it fails says nothing of the one that leads now.
  failures_ = std::min(failures_, 1);
  if (stream_ != 0) return;
  // Not at once: all schedulers are told at the same time, and it may have a registry to read.
  Connect();
}

void SchedulerCore::LoseStream(const std::string& reason, bool for_good) {
  const bool was_subscribed = subscribed_;
  stream_ = 0;
  subscribed_ = false;
  silence_deadline_ = Time::Never();
  offers_.TakeAll();
  reconciler_.Reset();
  if (was_subscribed && config_.give_up_after_ms > 0) {
    give_up_deadline_ = now_ + config_.give_up_after_ms;
  }
  if (!for_good) Deliver(Disconnected{reason});
  for (const auto& [call_id, pending] : std::exchange(pending_, {})) {
    if (pending.sent) {
      if (!pending.intents.empty()) REACHED("the stream breaks before an accept is answered");
      Answer(pending.request, Answer::kUnknown, model::Refusal::kNone,
             "the stream broke before the master answered; tasks are reconciled on the next one");
      continue;
    }
    if (!pending.intents.empty()) REACHED("the stream breaks before an accept is sent");
    const char* why = "the stream broke before the call was sent";
    for (const Intent& intent : pending.intents) {
      TellEnded(intent.task, intent.intent_id, model::TaskState::kDropped,
                model::TaskReason::kInvalidOffer, why);
    }
    Answer(pending.request, Answer::kNotSent, model::Refusal::kStaleOffer, why);
  }
}

void SchedulerCore::DropStreamAndConnect(const std::string& reason) {
  out_->drop_stream = DropStream{stream_, reason};
  LoseStream(reason, false);
  Connect();
}

void SchedulerCore::Halt(Stop::Cause cause, model::Refusal refusal, std::string message) {
  if (stream_ != 0 || !out_->drop_stream) out_->drop_stream = DropStream{stream_, message};
  if (stream_ != 0) LoseStream(message, true);
  stopped_ = true;
  out_->connect.reset();
  out_->stop = Stop{cause, refusal, std::move(message)};
}

void SchedulerCore::On(const EventReceived& received) {
  if (received.stream != stream_ || stream_ == 0) return;
  const bool early = !subscribed_ && !std::holds_alternative<model::Subscribed>(received.event) &&
                     !std::holds_alternative<model::StreamError>(received.event);
  if (early) return;  // Nothing else may come before the welcome.
  silence_deadline_ = received.received + silence_ms_;
  std::visit([this](const auto& event) { Heard(event); }, received.event);
}

void SchedulerCore::Heard(const model::Subscribed& subscribed) {
  if (subscribed_) return;
  if (!model::Compatible(model::ThisVersion(), subscribed.version)) {
    Halt(Stop::Cause::kRefused, model::Refusal::kUnsupportedVersion,
         absl::StrCat("this SDK of version ", model::ThisVersion().ToString(),
                      " cannot talk to a master of version ", subscribed.version.ToString(),
                      "; upgrade the older one"));
    return;
  }
  // A master of before this field was there lets anybody in.
  if (!cluster_id_.empty() && cluster_id_ != subscribed.cluster_id) {
    Halt(Stop::Cause::kRefused, model::Refusal::kWrongCluster,
         absl::StrCat("this framework belongs to cluster ", cluster_id_, ", the master is of ",
                      subscribed.cluster_id, "; point it to its own master"));
    return;
  }
  subscribed_ = true;
  give_up_deadline_ = Time::Never();
  silence_ms_ = kSilentHeartbeats * std::max<int64_t>(subscribed.heartbeat_ms, 1);
  silence_deadline_ = now_ + silence_ms_;
  uint64_t after_seq = 0;
  if (config_.framework.id != subscribed.framework) {
    config_.framework.id = subscribed.framework;
    after_seq = Write(PutFramework(subscribed.framework));
  }
  if (cluster_id_ != subscribed.cluster_id) {
    cluster_id_ = subscribed.cluster_id;
    after_seq = Write(PutCluster(cluster_id_));
  }
  Deliver(Ready{subscribed}, after_seq);
  if (teardown_wanted_) {
    Call(0, model::Teardown{});
    return;
  }
  CatchUp();
  if (demand_) Call(0, *demand_);
  reconciler_.Begin(now_, tasks_);
}

void SchedulerCore::CatchUp() {
  const model::FrameworkInfo& said = hello_.framework;
  const std::vector<std::string> suppressed(suppressed_.begin(), suppressed_.end());
  if (config_.framework.roles != said.roles ||
      config_.framework.failover_timeout_ms != said.failover_timeout_ms) {
    Call(0, model::UpdateFramework{config_.framework.roles, config_.framework.failover_timeout_ms,
                                   suppressed});
    return;
  }
  model::Revive revive;
  std::set_difference(hello_.suppressed_roles.begin(), hello_.suppressed_roles.end(),
                      suppressed.begin(), suppressed.end(), std::back_inserter(revive.roles));
  model::Suppress suppress;
  std::set_difference(suppressed.begin(), suppressed.end(), hello_.suppressed_roles.begin(),
                      hello_.suppressed_roles.end(), std::back_inserter(suppress.roles));
  if (!revive.roles.empty() || !suppress.roles.empty()) {
    REACHED("what is wanted changes between hello and welcome");
  }
  if (!revive.roles.empty()) Call(0, std::move(revive));
  if (!suppress.roles.empty()) Call(0, std::move(suppress));
}

void SchedulerCore::Heard(const model::Offers& offers) {
  OffersCame came;
  for (const model::Offer& offer : offers.offers) {
    offers_.Add(now_, offer);
    came.offers.push_back(offer);
  }
  if (!came.offers.empty()) Deliver(std::move(came));
}

void SchedulerCore::Heard(const model::Rescinded& rescinded) {
  OffersVoid gone;
  gone.reason = rescinded.reason;
  for (const model::OfferId& id : rescinded.offers) {
    if (offers_.Remove(id)) {
      REACHED("an offer is rescinded that was not used yet");
      gone.offers.push_back(id);
    } else {
      REACHED("an offer is rescinded that was used already");
    }
  }
  if (!gone.offers.empty()) Deliver(std::move(gone));
}

void SchedulerCore::Heard(const model::Heartbeat&) {
  failures_ = 0;
  CallWithoutResult(model::HeartbeatAnswer{});
}

void SchedulerCore::Heard(const model::AgentChanged& changed) {
  // A leader may have called a task unreachable that it knew no more of than its agent's name: it
  // may never have arrived there, and nobody will say so when the agent is given up.
  if (subscribed_ && changed.change != model::AgentChanged::Change::kUnreachable) {
    reconciler_.AskAbout(now_, tasks_, changed.agent);
  }
  Deliver(changed);
}

void SchedulerCore::Heard(const model::StreamError& error) {
  using model::Refusal;
  switch (error.refusal) {
    case Refusal::kSuperseded:
      REACHED("a scheduler is superseded by another instance");
      Halt(Stop::Cause::kSuperseded, error.refusal, error.message);
      return;
    case Refusal::kFrameworkRemoved:
    case Refusal::kUnknownFramework:
      Removed(error);
      return;
    case Refusal::kInvalid:
    case Refusal::kUnauthorized:
    case Refusal::kUnknownRole:
    case Refusal::kUnsupportedVersion:
    case Refusal::kWrongPrincipal:
    case Refusal::kWrongCluster:
      Halt(Stop::Cause::kRefused, error.refusal, error.message);
      return;
    default:  // Not leading, too slow, and what later masters may think of: try again.
      DropStreamAndConnect(absl::StrCat(model::RefusalName(error.refusal), ": ", error.message));
  }
}

void SchedulerCore::Removed(const model::StreamError& error) {
  if (teardown_wanted_) {
    Write(RemoveFramework());
    Write(RemoveCluster());
    Write(RemoveInstance());
    for (const auto& [id, task] : tasks_.rows()) {
      if (task.in_store) Write(RemoveIntent(id));
    }
    Halt(Stop::Cause::kTornDown, model::Refusal::kNone, "torn down as asked");
    return;
  }
  if (config_.on_removed == OnRemoved::kFail) {
    Halt(Stop::Cause::kRemoved, error.refusal, error.message);
    return;
  }
  DropStreamAndConnect(error.message);
  config_.framework.id = model::FrameworkId();
  Write(RemoveFramework());
  REACHED("a scheduler begins anew because its framework is no more");
  // The cluster ended them together with the framework, or never heard of either.
  const bool unknown = error.refusal == model::Refusal::kUnknownFramework;
  std::vector<std::pair<model::TaskId, std::string>> lost;
  for (const auto& [id, task] : tasks_.rows()) {
    if (!task.final_told) lost.emplace_back(id, task.intent_id);
  }
  for (const auto& [id, intent_id] : lost) {
    TellEnded(id, intent_id, unknown ? model::TaskState::kUnknown : model::TaskState::kKilled,
              model::TaskReason::kFrameworkRemoved, error.message);
  }
}

// --- Calls ---

uint64_t SchedulerCore::Call(uint64_t request, decltype(model::SchedulerCall::call) what,
                             uint64_t after_seq, std::vector<Intent> intents) {
  const uint64_t call_id = ++last_call_id_;
  pending_[call_id] = Pending{request, false, std::move(intents)};
  outbox_.Add(after_seq, Peer::kMaster, SendCall{stream_, {call_id, std::move(what)}});
  return call_id;
}

void SchedulerCore::CallWithoutResult(decltype(model::SchedulerCall::call) what,
                                      uint64_t after_seq) {
  outbox_.Add(after_seq, Peer::kMaster, SendCall{stream_, {0, std::move(what)}});
}

void SchedulerCore::Answer(uint64_t request, enum Answer answer, model::Refusal refusal,
                           std::string message) {
  if (request == 0) return;
  Deliver(CallDone{request, answer, {{"", {refusal, std::move(message)}, {}}}});
}

void SchedulerCore::Deliver(Delivery delivery, uint64_t after_seq) {
  outbox_.Add(after_seq, Peer::kUser, std::move(delivery));
}

uint64_t SchedulerCore::Write(Change change) {
  // A framework that need not survive leaves nothing behind.
  if (config_.framework.ephemeral) return 0;
  changes_.push_back(std::move(change));
  return last_save_ + 1;
}

void SchedulerCore::On(const Saved& saved) { outbox_.Durable(saved.seq); }

void SchedulerCore::On(const StoreFailed& failed) {
  Halt(Stop::Cause::kStoreFailed, model::Refusal::kNone, failed.message);
}

void SchedulerCore::On(const SuppressAsked& asked) {
  const std::vector<std::string>& meant =
      asked.roles.empty() ? config_.framework.roles : asked.roles;
  suppressed_.insert(meant.begin(), meant.end());
  if (subscribed_) {
    Call(asked.request, model::Suppress{asked.roles});
  } else {
    Answer(asked.request, Answer::kNotSent, model::Refusal::kNotSubscribed,
           "not connected; told as soon as it is");
  }
}

void SchedulerCore::On(const ReviveAsked& asked) {
  if (asked.roles.empty()) suppressed_.clear();
  for (const std::string& role : asked.roles) suppressed_.erase(role);
  if (subscribed_) {
    Call(asked.request, model::Revive{asked.roles});
  } else {
    Answer(asked.request, Answer::kNotSent, model::Refusal::kNotSubscribed,
           "not connected; told as soon as it is");
  }
}

void SchedulerCore::On(const DemandAsked& asked) {
  demand_ = asked.demand;
  if (subscribed_) {
    Call(asked.request, asked.demand);
  } else {
    Answer(asked.request, Answer::kNotSent, model::Refusal::kNotSubscribed,
           "not connected; told as soon as it is");
  }
}

void SchedulerCore::On(const FrameworkUpdateAsked& asked) {
  config_.framework.roles = asked.roles;
  config_.framework.failover_timeout_ms = asked.failover_timeout_ms;
  std::erase_if(suppressed_, [&](const std::string& role) {
    return std::find(asked.roles.begin(), asked.roles.end(), role) == asked.roles.end();
  });
  if (!subscribed_) {
    Answer(asked.request, Answer::kNotSent, model::Refusal::kNotSubscribed,
           "not connected; told as soon as it is");
    return;
  }
  // The master takes all outstanding offers back without a word.
  OffersVoid gone{offers_.TakeAll(), "the framework was updated"};
  if (!gone.offers.empty()) Deliver(std::move(gone));
  Call(asked.request,
       model::UpdateFramework{
           asked.roles, asked.failover_timeout_ms, {suppressed_.begin(), suppressed_.end()}});
}

void SchedulerCore::On(const TeardownAsked&) {
  if (std::exchange(teardown_wanted_, true)) return;
  if (config_.framework.id.empty() && stream_ == 0) {
    Halt(Stop::Cause::kTornDown, model::Refusal::kNone, "never subscribed");
  } else if (subscribed_) {
    Call(0, model::Teardown{});
  }
}

void SchedulerCore::On(const LeaveAsked&) {
  Halt(Stop::Cause::kLeft, model::Refusal::kNone, "left as asked");
}

}  // namespace proffer::sdk
