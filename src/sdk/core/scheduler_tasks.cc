// The part of the scheduler's core that concerns tasks: launches, kills, statuses, reconciliation.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/simulation.h"
#include "sdk/core/scheduler_core.h"

namespace proffer::sdk {

// --- Offers and launches ---

void SchedulerCore::On(const DeclineAsked& asked) {
  model::Decline decline = asked.decline;
  std::erase_if(decline.offers, [this](const model::OfferId& id) { return !offers_.Remove(id); });
  if (decline.offers.empty()) {
    REACHED("a decline crosses the end of its offers");
    Answer(asked.request, Answer::kNotSent, model::Refusal::kStaleOffer,
           "none of these offers is outstanding any more");
    return;
  }
  if (MAYBE("decline twice")) Call(0, decline);
  Call(asked.request, std::move(decline));
}

void SchedulerCore::On(const AcceptAsked& given) {
  AcceptAsked asked = given;
  for (model::TaskSpec& spec : asked.accept.tasks) {
    if (spec.intent_id.empty()) spec.intent_id = prng_.Word(16);
  }
  if (asked.accept.offers.empty()) {
    RefuseAccept(asked, model::Refusal::kInvalid, "no offer was named; name at least one");
    return;
  }
  model::AgentId agent;
  for (const model::OfferId& id : asked.accept.offers) {
    const OfferTable::Row* row = offers_.Find(id);
    if (row == nullptr) {
      REACHED("an accept crosses the end of its offer in the scheduler");
      RefuseAccept(asked, model::Refusal::kStaleOffer,
                   absl::StrCat("offer ", id.ToString(),
                                " is not outstanding any more: it was used, declined, rescinded, "
                                "held for too long, or the stream broke; wait for new offers"));
      return;
    }
    agent = row->agent;
  }
  for (const model::OfferId& id : asked.accept.offers) offers_.Remove(id);
  Launch(std::move(asked), agent);
}

void SchedulerCore::RefuseAccept(const AcceptAsked& asked, model::Refusal refusal,
                                 const std::string& message) {
  model::Decline rest;
  for (const model::OfferId& id : asked.accept.offers) {
    if (offers_.Remove(id)) rest.offers.push_back(id);
  }
  if (!rest.offers.empty()) Call(0, std::move(rest));
  for (const model::TaskSpec& spec : asked.accept.tasks) {
    const KnownTask* task = tasks_.Find(spec.id);
    // A status would be taken for one of the task that lives under this id.
    if (task != nullptr && !task->final_told) continue;
    TellEnded(spec.id, spec.intent_id, model::TaskState::kDropped, model::TaskReason::kInvalidOffer,
              message);
  }
  Answer(asked.request, Answer::kNotSent, refusal, message);
}

void SchedulerCore::Launch(AcceptAsked asked, const model::AgentId& agent) {
  std::vector<Intent> intents;
  std::vector<model::CallResult::Item> refused;
  uint64_t after_seq = 0;
  std::erase_if(asked.accept.tasks, [&](const model::TaskSpec& spec) {
    if (tasks_.Find(spec.id) != nullptr) {
      refused.push_back({spec.id.value(),
                         {model::Refusal::kDuplicateTask,
                          absl::StrCat("a task \"", spec.id.value(),
                                       "\" of this framework has not ended, or its end is not "
                                       "handled yet; use another id")},
                         {}});
      return true;
    }
    KnownTask& task = tasks_.Add(spec.id);
    task.intent_id = spec.intent_id;
    task.agent = agent;
    task.own = true;
    task.in_store = !config_.framework.ephemeral;
    task.launched_on = stream_;
    intents.push_back({spec.id, spec.intent_id, agent});
    after_seq = Write(PutIntent(intents.back()));
    return false;
  });
  if (MUTANT("launch-before-intent")) after_seq = 0;
  const uint64_t call_id =
      Call(asked.request, std::move(asked.accept), after_seq, std::move(intents));
  pending_[call_id].refused = std::move(refused);
}

void SchedulerCore::Heard(const model::CallResult& result) {
  auto it = pending_.find(result.call_id);
  if (it == pending_.end()) return;
  const Pending pending = std::move(it->second);
  pending_.erase(it);
  for (const model::CallResult::Item& item : result.items) {
    if (item.outcome.refusal != model::Refusal::kNotKnownYet) continue;
    // Whoever does not know a task does not keep in mind that it is to be killed: said again when
    // the task is spoken of.
    KnownTask* task = tasks_.Find(model::TaskId(item.id));
    if (task != nullptr && !MUTANT("kill-lost-on-the-unknown")) task->kill_sent_on = 0;
  }
  if (reconciler_.Question(result.call_id) != nullptr) {
    TellMistaken(result);
    reconciler_.Answered(now_, result, &prng_);
    if (reconciler_.TakeDone()) Deliver(Reconciled{});
    return;
  }
  for (const model::CallResult::Item& item : result.items) {
    for (const Intent& intent : pending.intents) {
      if (!item.id.empty() && item.id != intent.task.value()) continue;
      KnownTask* task = tasks_.Find(intent.task);
      if (task == nullptr || task->final_told || task->intent_id != intent.intent_id) continue;
      if (item.outcome.ok()) {
        if (item.attempt.valid() && !item.id.empty()) task->attempt = item.attempt;
        continue;
      }
      REACHED("a launch is refused without a status");
      // Most refusals come with a status, which came before; where none came, one is made.
      TellEnded(intent.task, intent.intent_id, model::TaskState::kError,
                model::TaskReason::kInvalidTask, item.outcome.message);
    }
  }
  if (pending.request == 0) return;
  CallDone done{pending.request, Answer::kAnswered, result.items};
  done.items.insert(done.items.end(), pending.refused.begin(), pending.refused.end());
  Deliver(std::move(done));
}

// --- Kills ---

void SchedulerCore::On(const KillAsked& asked) {
  KnownTask* task = tasks_.Find(asked.kill.task);
  if (task != nullptr && !task->final_told) {
    task->kill_wanted = true;
    task->kill_grace_ms = asked.kill.grace_ms;
    // Between hello and welcome nothing is sent on the stream that there is.
    task->kill_sent_on = subscribed_ ? stream_ : 0;
  }
  if (subscribed_) {
    if (MAYBE("ask for a kill twice")) Call(0, asked.kill);
    Call(asked.request, asked.kill);
    return;
  }
  Answer(asked.request, Answer::kNotSent, model::Refusal::kNotSubscribed,
         task != nullptr
             ? "not connected; killed when the task is found after the next subscription"
             : "not connected, and no such task is known; ask again when connected");
}

void SchedulerCore::KillAgain(KnownTask* task) {
  if (!task->kill_wanted || task->kill_sent_on == stream_ || !subscribed_) return;
  if (MUTANT("kill-lost-with-the-stream")) return;
  REACHED("a scheduler repeats a kill on a new stream");
  task->kill_sent_on = stream_;
  Call(0, model::Kill{task->id, {}, task->kill_grace_ms});
}

// --- Statuses ---

void SchedulerCore::Heard(const model::TaskStatus& status) {
  // While the user is at it, one acknowledgement is enough.
  if (status.sequence != 0 && to_acknowledge_.count({status.attempt, status.sequence}) > 0) {
    REACHED("a status comes again while its user is at it");
    return;
  }
  if (status.sequence != 0 && MUTANT("ack-before-handled")) {
    CallWithoutResult(
        model::Acknowledge{status.task, status.agent, status.attempt, status.sequence});
  }
  Tell(status, false);
  KnownTask* task = tasks_.Find(status.task);
  if (task == nullptr || task->final_told) return;
  KillAgain(task);
}

void SchedulerCore::TellEnded(const model::TaskId& task, const std::string& intent_id,
                              model::TaskState state, model::TaskReason reason,
                              std::string message) {
  model::TaskStatus status;
  status.task = task;
  status.intent_id = intent_id;
  status.state = state;
  status.reason = reason;
  status.message = std::move(message);
  Tell(status, true);
}

void SchedulerCore::Tell(const model::TaskStatus& status, bool own) {
  const TaskTable::Meaning meaning = tasks_.Take(status);
  Update update;
  update.number = ++last_update_;
  update.status = status;
  update.duplicate = meaning.duplicate;
  update.final = meaning.final;
  update.own = own;
  if (meaning.task != nullptr) {
    update.own = meaning.task->own;
    if (update.status.intent_id.empty()) update.status.intent_id = meaning.task->intent_id;
  }
  in_hand_[update.number] = {update.status, update.final};
  if (status.sequence != 0) to_acknowledge_.insert({status.attempt, status.sequence});
  Deliver(std::move(update));
}

void SchedulerCore::Deliver(Update update) { Deliver(Delivery(std::move(update))); }

void SchedulerCore::On(const UpdateHandled& handled) { Handle(handled.number); }

void SchedulerCore::Handle(uint64_t number) {
  auto it = in_hand_.find(number);
  if (it == in_hand_.end()) return;
  const InHand update = std::move(it->second);
  in_hand_.erase(it);
  to_acknowledge_.erase({update.status.attempt, update.status.sequence});
  // The intent goes before the acknowledgement does: an intent in the store means that the agent
  // still has the task's end to tell. That holds for an end that is told again as well.
  if (update.final && tasks_.Forget(update.status)) Write(RemoveIntent(update.status.task));
  uint64_t after_seq = 0;
  if (IsFinal(update.status.state)) after_seq = changes_.empty() ? last_save_ : last_save_ + 1;
  if (MUTANT("ack-before-intent-removed")) after_seq = 0;
  // Without a stream nothing is said: what is not acknowledged comes again.
  if (update.status.sequence != 0 && !subscribed_) {
    REACHED("a status is handled while there is no stream");
  }
  if (update.status.sequence == 0 || !subscribed_) return;
  if (MAYBE("acknowledge twice")) {
    CallWithoutResult(model::Acknowledge{update.status.task, update.status.agent,
                                         update.status.attempt, update.status.sequence},
                      after_seq);
  }
  CallWithoutResult(model::Acknowledge{update.status.task, update.status.agent,
                                       update.status.attempt, update.status.sequence},
                    after_seq);
}

// --- Reconciliation ---

void SchedulerCore::TellMistaken(const model::CallResult& result) {
  for (const model::CallResult::Item& item : result.items) {
    if (!item.outcome.ok()) continue;
    const KnownTask* task = tasks_.Find(model::TaskId(item.id));
    if (task == nullptr || !task->in_question || task->final_told || !task->own) continue;
    if (task->attempt.valid()) continue;
    TellEnded(task->id, task->intent_id, model::TaskState::kUnknown, model::TaskReason::kReconciled,
              "the cluster knows an earlier launch of it only");
  }
}

void SchedulerCore::On(const ReconcileAsked& asked) {
  if (!subscribed_) {
    Answer(asked.request, Answer::kNotSent, model::Refusal::kNotSubscribed,
           "not connected; everything is reconciled after the next subscription");
    return;
  }
  Call(asked.request, model::Reconcile{asked.tasks});
}

void SchedulerCore::AskWhatIsDue() {
  if (!subscribed_ || stopped_) return;
  for (model::Reconcile& question : reconciler_.TakeDue(now_, tasks_)) {
    const model::Reconcile asked = question;
    for (const model::Reconcile::Task& one : asked.tasks) {
      if (KnownTask* task = tasks_.Find(one.task)) task->in_question = true;
    }
    reconciler_.Asked(Call(0, std::move(question)), asked);
  }
}

}  // namespace proffer::sdk
