// A scheduler's core: everything that the SDK decides on behalf of a framework, and nothing that
// happens.
//
// It keeps the stream to the master alive (backoff with full jitter, hello, heartbeats), numbers
// calls and accounts for their answers, makes intents durable before tasks are launched, gives
// every status to the user and acknowledges it afterwards, reconciles after each subscription,
// and knows which offers may still be used.
//
// Pure and single-threaded. The shell calls Start once, then Step for every event and Tick when
// NextDeadline has come; it carries out the effects (effects.h). Same configuration and events:
// same effects.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/base/outbox.h"
#include "common/base/prng.h"
#include "common/base/time.h"
#include "sdk/core/config.h"
#include "sdk/core/effects.h"
#include "sdk/core/events.h"
#include "sdk/core/offer_table.h"
#include "sdk/core/reconciler.h"
#include "sdk/core/task_table.h"

namespace proffer::sdk {

class SchedulerCore {
 public:
  explicit SchedulerCore(Config config);
  SchedulerCore(const SchedulerCore&) = delete;
  SchedulerCore& operator=(const SchedulerCore&) = delete;

  void Start(Time now, Effects* effects);
  void Step(Time now, const Event& event, Effects* effects);
  void Tick(Time now, Effects* effects);
  Time NextDeadline() const;

  // --- For views and tests ---
  bool subscribed() const { return subscribed_; }
  bool stopped() const { return stopped_; }
  const model::FrameworkId& framework_id() const { return config_.framework.id; }
  const TaskTable& tasks() const { return tasks_; }
  const OfferTable& offers() const { return offers_; }
  size_t updates_in_hand() const { return in_hand_.size(); }

 private:
  enum class Peer { kMaster, kUser };
  using Said = std::variant<SendCall, Delivery>;

  // A call that the master has not answered.
  struct Pending {
    uint64_t request = 0;
    bool sent = false;                             // False: still waits for the store.
    std::vector<Intent> intents;                   // Of an accept.
    std::vector<model::CallResult::Item> refused;  // Parts that were not sent at all.
  };
  struct InHand {
    model::TaskStatus status;
    bool final = false;
  };

  void Begin(Time now, Effects* effects);
  void Finish();

  void On(const StreamUp& up);
  void On(const StreamDown& down);
  void On(const LeaderFound& found);
  void On(const EventReceived& received);
  void On(const UpdateHandled& handled);
  void On(const Saved& saved);
  void On(const StoreFailed& failed);
  void On(const AcceptAsked& asked);
  void On(const DeclineAsked& asked);
  void On(const KillAsked& asked);
  void On(const SuppressAsked& asked);
  void On(const ReviveAsked& asked);
  void On(const DemandAsked& asked);
  void On(const ReconcileAsked& asked);
  void On(const FrameworkUpdateAsked& asked);
  void On(const TeardownAsked& asked);
  void On(const LeaveAsked& asked);

  void Heard(const std::monostate&) {}  // An event that this build does not know.
  void Heard(const model::Subscribed& subscribed);
  void Heard(const model::Offers& offers);
  void Heard(const model::Rescinded& rescinded);
  void Heard(const model::TaskStatus& status);
  void Heard(const model::CallResult& result);
  void Heard(const model::Heartbeat& heartbeat);
  void Heard(const model::AgentChanged& changed);
  void Heard(const model::StreamError& error);

  // Says what changed between hello and welcome.
  void CatchUp();
  // Asks for a stream, after a delay if the last ones failed.
  void Connect();
  // The stream is no more: offers are void, open calls are accounted for.
  void LoseStream(const std::string& reason, bool for_good);
  void DropStreamAndConnect(const std::string& reason);
  void Halt(Stop::Cause cause, model::Refusal refusal, std::string message);
  // The id is not valid any more.
  void Removed(const model::StreamError& error);

  // Sends a call on the present stream, after everything asked to be saved so far if `after_save`.
  // Returns its call id.
  uint64_t Call(uint64_t request, decltype(model::SchedulerCall::call) what, uint64_t after_seq = 0,
                std::vector<Intent> intents = {});
  // The same for calls that have no answer.
  void CallWithoutResult(decltype(model::SchedulerCall::call) what, uint64_t after_seq = 0);
  void Deliver(Delivery delivery, uint64_t after_seq = 0);
  void Deliver(Update update);
  void Answer(uint64_t request, enum Answer answer, model::Refusal refusal, std::string message);
  // Makes a change durable; returns the sequence number to wait for, 0 if nothing is kept.
  uint64_t Write(Change change);

  void RefuseAccept(const AcceptAsked& asked, model::Refusal refusal, const std::string& message);
  void Launch(AcceptAsked asked, const model::AgentId& agent);
  // A status of our own making, for a launch that the master will never speak of.
  void TellEnded(const model::TaskId& task, const std::string& intent_id, model::TaskState state,
                 model::TaskReason reason, std::string message);
  // Judges a status, updates the table, hands it to the user.
  void Tell(const model::TaskStatus& status, bool own);
  void Handle(uint64_t number);
  // Repeats a kill that was wanted before this stream.
  void KillAgain(KnownTask* task);
  void AskWhatIsDue();
  // Statuses come before the answer that they belong to. A task that none of them was about is
  // not known: the newest launch under its id is an earlier one.
  void TellMistaken(const model::CallResult& result);

  Config config_;
  Prng prng_;
  OfferTable offers_;
  TaskTable tasks_;
  Reconciler reconciler_;
  Outbox<Peer, Said> outbox_;

  // The stream.
  uint64_t stream_ = 0;  // 0: none.
  bool subscribed_ = false;
  model::Subscribe hello_;      // As said on this stream.
  uint64_t instance_ = 0;       // Which one of the framework this is; 0: none are counted.
  uint64_t instance_save_ = 0;  // To be durable before it is said.
  std::string cluster_id_;      // That the framework id is of; empty: not known.
  bool stopped_ = false;
  int failures_ = 0;  // Attempts to connect since a stream was last heard to be well.
  int64_t silence_ms_ = 0;
  Time silence_deadline_ = Time::Never();
  Time give_up_deadline_ = Time::Never();

  // What the user wants, over all streams.
  std::set<std::string> suppressed_;
  std::optional<model::SetDemand> demand_;
  bool teardown_wanted_ = false;

  uint64_t last_call_id_ = 0;
  std::map<uint64_t, Pending> pending_;  // By call id.
  uint64_t last_update_ = 0;
  std::map<uint64_t, InHand> in_hand_;                              // By number.
  std::set<std::pair<model::AttemptId, uint64_t>> to_acknowledge_;  // Of those in hand.

  uint64_t last_save_ = 0;
  std::vector<Change> changes_;  // Of this step.

  // Of the step that runs.
  Time now_;
  Effects* out_ = nullptr;
  Time deadline_ = Time::Never();  // As of the end of the last step.
};

}  // namespace proffer::sdk
