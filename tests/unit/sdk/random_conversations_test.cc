// Random conversations between a scheduler's core and a small model of a master, with streams that
// break, stores that are slow, users that take their time, and crashes of the scheduler: whatever
// happens, ends are told once, statuses are acknowledged after they were handled, and nothing is
// launched twice.
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/prng.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "unit/sdk/core_fixture.h"

namespace proffer::sdk {
namespace {

using model::TaskState;

// What the cluster knows of a launch.
struct Launched {
  model::TaskStatus present;  // Not acknowledged, or the last.
  bool acknowledged = true;   // Of `present`.
  bool ends = false;          // `present` is the end.
  bool kill = false;
};

// The framework's id, the cluster's, and which instance it is.
constexpr size_t kKeysOfIdentity = 3;

class World {
 public:
  World(uint64_t seed, bool with_queue, bool crashes)
      : prng_(seed), with_queue_(with_queue), crashes_(crashes) {
    Restart();
  }

  void Run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
      now_ = now_ + prng_.Between(0, 300);
      RandomStep();
      TickIfDue();
    }
  }

  // Without faults, until nothing happens any more.
  void Settle() {
    calm_ = true;
    for (int i = 0; i < 20'000 && !::testing::Test::HasFailure(); ++i) {
      now_ = now_ + 100;
      RandomStep();
      TickIfDue();
      if (i > 500 && Settled()) return;
    }
    ADD_FAILURE() << "did not settle: " << tasks_.size() << " tasks in the cluster, "
                  << in_hand_.size() << " updates in hand, store has " << store_.size()
                  << ", unfinished " << submitted_.size() - done_.size();
  }

  void Check() {
    for (const auto& [intent, count] : launches_) EXPECT_EQ(count, 1) << intent;
    if (!crashes_) {
      for (const auto& [intent, count] : ends_told_) EXPECT_EQ(count, 1) << intent;
    }
    for (const std::string& intent : asked_intents_) {
      EXPECT_GE(ends_told_[intent], with_queue_ ? 0 : 1) << intent;
    }
    for (const auto& [handle, count] : done_) EXPECT_EQ(count, 1) << "handle " << handle;
    for (const auto& [task, count] : ran_) EXPECT_LE(count, 1) << task << " ran twice";
    EXPECT_EQ(core_->scheduler().updates_in_hand(), 0u);
    // All that is left in the store is who the framework is.
    EXPECT_EQ(store_.size(), kKeysOfIdentity);
    EXPECT_GT(told_, 0);
  }

 private:
  // --- The scheduler's shell ---

  void Restart() {
    Config config;
    config.framework.name = "random";
    config.framework.roles = {"default"};
    config.seed = prng_.Next();
    config.saved = *ParseSavedState(store_);
    core_ = std::make_unique<FrameworkCore>(
        config, with_queue_ ? std::optional<TaskQueue::Options>({{"default"}}) : std::nullopt);
    to_store_.clear();
    in_hand_.clear();
    user_offers_.clear();
    connecting_ = false;
    to_scheduler_.clear();
    to_master_.clear();
    subscribed_ = false;
    up_ = 0;
    Output output;
    core_->Start(now_, &output);
    Take(std::move(output));
    if (!with_queue_) return;
    // The program submits again what it has not seen the end of.
    for (const auto& [handle, id] : submitted_) {
      if (done_.count(handle) == 0) DoSubmit(handle, id);
    }
  }

  void Do(Input input) {
    Output output;
    core_->Step(now_, input, &output);
    Take(std::move(output));
  }

  void TickIfDue() {
    if (core_->NextDeadline() > now_) return;
    Output output;
    core_->Tick(now_, &output);
    Take(std::move(output));
  }

  void Take(Output output) {
    ASSERT_FALSE(output.effects.stop) << output.effects.stop->message;
    for (Save& save : output.effects.saves) to_store_.push_back(std::move(save));
    if (output.effects.drop_stream) CloseStream();
    for (SendCall& call : output.effects.calls) {
      ASSERT_EQ(call.stream, up_) << "said on a stream that is no more";
      if (const auto* ack = std::get_if<model::Acknowledge>(&call.call.call)) {
        ASSERT_EQ(handled_.count({ack->attempt, ack->sequence}), 1u)
            << "acknowledged before it was handled: " << ack->task;
      }
      if (const auto* accept = std::get_if<model::Accept>(&call.call.call)) {
        for (const model::TaskSpec& spec : accept->tasks) {
          ASSERT_EQ(store_.count("intent/" + spec.id.value()), 1u) << "launched before written";
          asked_intents_.insert(spec.intent_id);
        }
      }
      to_master_.push_back(std::move(call.call));
    }
    for (const Delivery& delivery : output.effects.deliveries) TakeDelivery(delivery);
    for (const Notice& notice : output.notices) {
      if (const auto* done = std::get_if<TaskDone>(&notice)) {
        ++done_[done->result.handle];
        ++told_;
        if (done->update != 0) in_hand_.push_back(done->update);
      }
    }
    if (output.effects.connect) connecting_ = true;
  }

  void TakeDelivery(const Delivery& delivery) {
    if (const auto* update = std::get_if<Update>(&delivery)) {
      if (update->final && update->own) ++ends_told_[update->status.intent_id];
      if (update->final) ++told_;
      keys_[update->number] = {update->status.attempt, update->status.sequence};
      in_hand_.push_back(update->number);
    } else if (const auto* came = std::get_if<OffersCame>(&delivery)) {
      for (const model::Offer& offer : came->offers) user_offers_.push_back(offer.id);
    }
  }

  // With a queue the core answers for itself what is not an end.
  void Handled(uint64_t number) {
    handled_.insert(keys_[number]);
    Do(UpdateHandled{number});
  }

  void DoSubmit(uint64_t handle, const std::string& id) {
    QueuedTask task;
    task.id = model::TaskId(id);
    task.shape = *Quantities::Parse(prng_.Chance(1, 2) ? "cpus:1" : "cpus:2;mem:1GiB");
    task.payload = std::make_shared<const std::string>("run");
    Do(SubmitAsked{handle, std::move(task)});
  }

  // --- What happens ---

  void RandomStep() {
    switch (prng_.Below(16)) {
      case 0:
      case 1:
      case 2:
        return MasterReads();
      case 3:
      case 4:
      case 5:
        return SchedulerReads();
      case 6:
        return StoreWrites();
      case 7:
      case 8:
        return UserHandles();
      case 9:
        return UserActs();
      case 10:
        return MasterOffers();
      case 11:
      case 12:
        return TaskProgresses();
      case 13:
        if (connecting_) OpenStream();
        return;
      case 14:
        if (!calm_ && up_ != 0 && prng_.Chance(1, 4)) BreakStream();
        if (up_ != 0 && subscribed_) Tell(model::Heartbeat{});
        return;
      default:
        return MasterActs();
    }
  }

  void OpenStream() {
    connecting_ = false;
    if (!calm_ && prng_.Chance(1, 4)) {
      Do(StreamDown{0, "refused"});
      return;
    }
    up_ = ++last_stream_;
    Do(StreamUp{up_});
  }
  void CloseStream() {
    // Some of what was said still arrives.
    while (!to_master_.empty() && prng_.Chance(3, 4)) MasterReads();
    up_ = 0;
    subscribed_ = false;
    to_master_.clear();
    to_scheduler_.clear();
    offers_.clear();
  }
  void BreakStream() {
    const uint64_t stream = up_;
    CloseStream();
    if (crashes_ && prng_.Chance(1, 3)) {
      // The store has some of what was handed to it.
      while (!to_store_.empty() && prng_.Chance(1, 2)) WriteOne();
      Restart();
    } else {
      Do(StreamDown{stream, "broken"});
    }
  }
  uint64_t WriteOne() {
    const Save save = std::move(to_store_.front());
    to_store_.pop_front();
    for (const Change& change : save.changes) {
      if (change.value) {
        store_[change.key] = *change.value;
      } else {
        store_.erase(change.key);
      }
    }
    return save.seq;
  }
  void StoreWrites() {
    if (!to_store_.empty()) Do(Saved{WriteOne()});
  }
  void UserHandles() {
    if (in_hand_.empty()) return;
    const size_t i = prng_.Below(in_hand_.size());
    const uint64_t number = in_hand_[i];
    in_hand_.erase(in_hand_.begin() + i);
    Handled(number);
  }
  void UserActs() {
    if (with_queue_) {
      if (calm_ || prng_.Chance(1, 2)) return;
      const uint64_t handle = ++last_task_;
      submitted_[handle] = absl::StrCat("job-", handle);
      DoSubmit(handle, submitted_[handle]);
      return;
    }
    if (user_offers_.empty()) return;
    const size_t i = prng_.Below(user_offers_.size());
    const model::OfferId offer = user_offers_[i];
    if (prng_.Chance(9, 10)) user_offers_.erase(user_offers_.begin() + i);  // Else used again.
    if (calm_ || prng_.Chance(1, 4)) {
      Do(DeclineAsked{1, {{offer}, std::nullopt, model::DeclineReason::kNothingToRun}});
      return;
    }
    model::Accept accept{{offer}, {}, std::nullopt};
    // Ids are used again and again, also while they live.
    for (uint64_t n = prng_.Below(3) + 1; n > 0; --n) {
      accept.tasks.push_back(MakeSpec(absl::StrCat("t", prng_.Below(30))));
    }
    Do(AcceptAsked{1, std::move(accept)});
    if (prng_.Chance(1, 3)) {
      Do(KillAsked{1, {model::TaskId(absl::StrCat("t", prng_.Below(30))), {}, {}}});
    }
  }

  // --- The master ---

  void Tell(model::SchedulerEvent event) {
    if (up_ != 0) to_scheduler_.push_back(std::move(event));
  }
  void SchedulerReads() {
    if (to_scheduler_.empty()) return;
    model::SchedulerEvent event = std::move(to_scheduler_.front());
    to_scheduler_.pop_front();
    if (with_queue_) {
      // Updates that the queue handles by itself are handled when it has seen them.
      if (const auto* status = std::get_if<model::TaskStatus>(&event)) {
        handled_.insert({status->attempt, status->sequence});
      }
    }
    Do(EventReceived{up_, now_, std::move(event)});
  }

  void MasterReads() {
    if (to_master_.empty()) return;
    const model::SchedulerCall call = std::move(to_master_.front());
    to_master_.pop_front();
    std::visit([&](const auto& what) { Obey(call.call_id, what); }, call.call);
  }
  void Result(uint64_t call_id, std::vector<model::CallResult::Item> items) {
    if (items.empty()) items.push_back({});
    Tell(model::CallResult{call_id, std::move(items)});
  }

  template <typename Other>
  void Obey(uint64_t call_id, const Other&) {
    if (call_id != 0) Result(call_id, {});
  }
  void Obey(uint64_t call_id, const model::Subscribe& subscribe) {
    ASSERT_FALSE(subscribed_);
    if (framework_.empty()) framework_ = "F-1";
    // The id may have been lost in a crash before it was durable; then this is another one, whose
    // tasks the model takes over for simplicity.
    subscribed_ = true;
    suppressed_ = !subscribe.suppressed_roles.empty();
    Tell(model::Subscribed{model::ThisVersion(), model::FrameworkId(framework_), "c", 1, 5000});
    Result(call_id, {});
    for (const auto& [attempt, task] : tasks_) {
      if (!task.acknowledged) Tell(task.present);
    }
  }
  void Obey(uint64_t call_id, const model::Accept& accept) {
    ASSERT_TRUE(subscribed_);
    std::vector<model::CallResult::Item> items;
    const bool good = offers_.erase(accept.offers[0]) > 0 && (calm_ || prng_.Chance(5, 6));
    for (const model::TaskSpec& spec : accept.tasks) {
      const bool lives = std::any_of(tasks_.begin(), tasks_.end(), [&](const auto& entry) {
        return entry.second.present.task == spec.id;
      });
      if (lives) {
        items.push_back({spec.id.value(), {model::Refusal::kDuplicateTask, "lives"}, {}});
        continue;
      }
      model::TaskStatus status;
      status.task = spec.id;
      status.agent = model::AgentId("A-1");
      status.intent_id = spec.intent_id;
      if (!good) {
        status.state = TaskState::kDropped;
        Tell(status);
        items.push_back({spec.id.value(), {model::Refusal::kStaleOffer, "too late"}, {}});
        continue;
      }
      ++launches_[spec.intent_id];
      status.attempt = {1, ++last_attempt_};
      status.state = TaskState::kStaging;
      items.push_back({spec.id.value(), {}, status.attempt});
      tasks_[status.attempt].present = status;
    }
    Result(call_id, std::move(items));
  }
  void Obey(uint64_t call_id, const model::Suppress&) {
    suppressed_ = true;
    Result(call_id, {});
  }
  void Obey(uint64_t call_id, const model::Revive&) {
    suppressed_ = false;
    Result(call_id, {});
  }
  void Obey(uint64_t call_id, const model::Decline& decline) {
    for (const model::OfferId& id : decline.offers) offers_.erase(id);
    Result(call_id, {});
  }
  void Obey(uint64_t call_id, const model::Kill& kill) {
    for (auto& [attempt, task] : tasks_) {
      if (task.present.task != kill.task) continue;
      task.kill = true;
      return Result(call_id, {{kill.task.value(), {}, attempt}});
    }
    Result(call_id, {{kill.task.value(), {model::Refusal::kUnknownTask, "unknown"}, {}}});
    TellUnknown(kill.task);
  }
  void Obey(uint64_t, const model::Acknowledge& ack) {
    auto it = tasks_.find(ack.attempt);
    if (it == tasks_.end() || it->second.present.sequence != ack.sequence) return;
    it->second.acknowledged = true;
    if (it->second.ends) tasks_.erase(it);
  }
  void Obey(uint64_t call_id, const model::Reconcile& reconcile) {
    std::vector<model::CallResult::Item> items;
    for (const model::Reconcile::Task& asked : reconcile.tasks) {
      if (prng_.Chance(1, 4)) {
        items.push_back({asked.task.value(), {model::Refusal::kNotKnownYet, "wait"}, {}});
        continue;
      }
      bool found = false;
      for (const auto& [attempt, task] : tasks_) {
        if (task.present.task != asked.task) continue;
        TellPresent(task);
        found = true;
      }
      if (!found) TellUnknown(asked.task);
      items.push_back({asked.task.value(), {}, {}});
    }
    if (reconcile.tasks.empty()) {
      for (const auto& [attempt, task] : tasks_) TellPresent(task);
      if (prng_.Chance(1, 4)) items.push_back({"", {model::Refusal::kNotKnownYet, "wait"}, {}});
    }
    Result(call_id, std::move(items));
  }
  void Obey(uint64_t, const model::HeartbeatAnswer&) {}
  void Obey(uint64_t, const std::monostate&) { FAIL() << "an empty call"; }

  void TellPresent(const Launched& task) {
    model::TaskStatus status = task.present;
    if (task.acknowledged) {
      status.sequence = 0;
      status.reason = model::TaskReason::kReconciled;
    }
    Tell(std::move(status));
  }
  void TellUnknown(const model::TaskId& id) {
    model::TaskStatus status;
    status.task = id;
    status.state = TaskState::kUnknown;
    status.reason = model::TaskReason::kReconciled;
    Tell(std::move(status));
  }

  void MasterOffers() {
    if (!subscribed_ || suppressed_ || offers_.size() >= 4) return;
    const model::Offer offer = MakeOffer(++last_offer_);
    offers_.insert(offer.id);
    Tell(model::Offers{{offer}});
  }
  void MasterActs() {
    if (!subscribed_ || calm_) return;
    if (!offers_.empty() && prng_.Chance(1, 2)) {
      const model::OfferId id = *offers_.begin();
      offers_.erase(id);
      Tell(model::Rescinded{{id}, "for a reason"});
    } else if (!tasks_.empty()) {
      // Repeats itself.
      auto it = tasks_.begin();
      std::advance(it, prng_.Below(tasks_.size()));
      if (!it->second.acknowledged) Tell(it->second.present);
    } else {
      Tell(std::monostate{});
    }
  }
  void TaskProgresses() {
    if (tasks_.empty()) return;
    auto it = tasks_.begin();
    std::advance(it, prng_.Below(tasks_.size()));
    Launched& task = it->second;
    if (!task.acknowledged || task.ends) return;
    ++task.present.sequence;
    task.acknowledged = false;
    if (task.kill) {
      task.present.state = TaskState::kKilled;
    } else if (task.present.state != TaskState::kRunning) {
      task.present.state = prng_.Chance(1, 5) ? TaskState::kDropped : TaskState::kRunning;
      if (task.present.state == TaskState::kRunning) {
        const std::string id = task.present.task.value();
        if (with_queue_) ++ran_[id.substr(0, id.find(".r"))];
      }
    } else {
      task.present.state = prng_.Chance(1, 2) ? TaskState::kFinished : TaskState::kFailed;
    }
    task.ends = model::IsTerminal(task.present.state);
    if (subscribed_) Tell(task.present);
  }

  bool Settled() const {
    if (!tasks_.empty() || !in_hand_.empty() || store_.size() != kKeysOfIdentity ||
        !to_store_.empty()) {
      return false;
    }
    if (!to_scheduler_.empty() || !to_master_.empty()) return false;
    if (!with_queue_) return core_->scheduler().tasks().rows().empty();
    return done_.size() == submitted_.size();
  }

  Prng prng_;
  const bool with_queue_;
  const bool crashes_;
  bool calm_ = false;
  Time now_{1'000'000};
  std::unique_ptr<FrameworkCore> core_;

  std::map<std::string, std::string> store_;
  std::deque<Save> to_store_;
  std::vector<uint64_t> in_hand_;
  std::map<uint64_t, std::pair<model::AttemptId, uint64_t>> keys_;  // Of updates.
  std::set<std::pair<model::AttemptId, uint64_t>> handled_;
  std::vector<model::OfferId> user_offers_;
  std::map<uint64_t, std::string> submitted_;
  uint64_t last_task_ = 0;

  bool connecting_ = false;
  bool subscribed_ = false;
  uint64_t up_ = 0;  // The stream; 0: none.
  uint64_t last_stream_ = 0;
  std::deque<model::SchedulerCall> to_master_;
  std::deque<model::SchedulerEvent> to_scheduler_;

  std::string framework_;
  bool suppressed_ = false;
  std::set<model::OfferId> offers_;
  uint64_t last_offer_ = 0;
  uint64_t last_attempt_ = 0;
  std::map<model::AttemptId, Launched> tasks_;

  // What is judged.
  std::map<std::string, int> launches_;   // By intent.
  std::map<std::string, int> ends_told_;  // By intent.
  std::set<std::string> asked_intents_;
  std::map<uint64_t, int> done_;    // By handle.
  std::map<std::string, int> ran_;  // By submitted id.
  int told_ = 0;
};

void Converse(bool with_queue, bool crashes, uint64_t seeds) {
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    World world(seed, with_queue, crashes);
    world.Run(3'000);
    world.Settle();
    world.Check();
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(RandomConversationsTest, EndsAreToldOnceAndNothingIsLaunchedTwice) {
  Converse(false, false, 200);
}

TEST(RandomConversationsTest, TheSameHoldsForAQueue) { Converse(true, false, 200); }

TEST(RandomConversationsTest, NoEndIsLostInACrashOfTheScheduler) { Converse(false, true, 200); }

TEST(RandomConversationsTest, AQueueRunsNothingTwiceOverItsCrashes) { Converse(true, true, 200); }

}  // namespace
}  // namespace proffer::sdk
