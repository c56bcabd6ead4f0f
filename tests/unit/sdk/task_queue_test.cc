// The queue on top of the core: matching, demand, suppression, retries, results.
#include "unit/sdk/core_fixture.h"

namespace proffer::sdk {
namespace {

using model::TaskState;
using ::testing::SizeIs;

class TaskQueueTest : public CoreFixture {
 protected:
  static QueuedTask Want(const std::string& id, const std::string& shape = "cpus:1;mem:1GiB") {
    QueuedTask task;
    task.id = model::TaskId(id);
    task.shape = *Quantities::Parse(shape);
    task.payload = std::make_shared<const std::string>("run");
    return task;
  }
  void Submit(uint64_t handle, QueuedTask task) { Do(SubmitAsked{handle, std::move(task)}); }
  void Offer(const model::Offer& offer) { Hear(model::Offers{{offer}}); }
  std::string Intent(const std::string& task) {
    for (const model::Accept& accept : Calls<model::Accept>()) {
      for (const model::TaskSpec& spec : accept.tasks) {
        if (spec.id.value() == task) return spec.intent_id;
      }
    }
    ADD_FAILURE() << "no launch of " << task;
    return "";
  }
  void Reconnect() {
    BreakStream();
    OpenStream();
    Welcome();
  }
  // What a master answers that knows no more of the task than this.
  static model::TaskStatus Reconciled(const std::string& task, TaskState state) {
    model::TaskStatus status;
    status.task = model::TaskId(task);
    status.state = state;
    status.reason = model::TaskReason::kReconciled;
    return status;
  }
  void Dropped(const std::string& task) {
    model::TaskStatus status = MakeStatus(task, TaskState::kDropped, 0, Intent(task));
    status.attempt = {};
    Hear(status);
  }
};

TEST_F(TaskQueueTest, BeginsSuppressedAndWantsNothing) {
  StartCoreWithQueue();
  OpenStream();
  EXPECT_THAT(Calls<model::Subscribe>()[0].suppressed_roles, SizeIs(1));
}

TEST_F(TaskQueueTest, DeclaresRevivesPlacesAndSuppressesAgain) {
  StartCoreWithQueue();
  Subscribe();
  Submit(1, Want("a"));
  ASSERT_THAT(Calls<model::SetDemand>(), SizeIs(1));
  ASSERT_THAT(Calls<model::SetDemand>()[0].demands, SizeIs(1));
  EXPECT_EQ(Calls<model::SetDemand>()[0].demands[0].count, 1);
  EXPECT_EQ(Calls<model::SetDemand>()[0].demands[0].label, "a");
  EXPECT_THAT(Calls<model::Revive>(), SizeIs(1));
  AnswerAll();
  Offer(MakeOffer(1));
  ASSERT_THAT(Calls<model::Accept>(), SizeIs(1));
  const model::TaskSpec spec = Calls<model::Accept>()[0].tasks[0];
  EXPECT_EQ(spec.resources, ResourcesOf("cpus:1;mem:1GiB"));
  EXPECT_EQ(spec.id.value(), "a");
  ASSERT_THAT(Noticed<TaskPlaced>(), SizeIs(1));
  EXPECT_EQ(Noticed<TaskPlaced>()[0].hostname, "host-A-1");
  EXPECT_THAT(Calls<model::Suppress>(), SizeIs(1));
  ASSERT_THAT(Calls<model::SetDemand>(), SizeIs(2));
  EXPECT_TRUE(Calls<model::SetDemand>()[1].declared);
  EXPECT_THAT(Calls<model::SetDemand>()[1].demands, SizeIs(0));
}

TEST_F(TaskQueueTest, OneDeclarationIsInFlightAtMost) {
  StartCoreWithQueue();
  Subscribe();
  for (uint64_t i = 1; i <= 50; ++i) Submit(i, Want("t" + std::to_string(i)));
  EXPECT_THAT(Calls<model::SetDemand>(), SizeIs(1));
  Hear(model::CallResult{LastCallId<model::SetDemand>(), {{"", model::Outcome::Ok(), {}}}});
  ASSERT_THAT(Calls<model::SetDemand>(), SizeIs(2));
  EXPECT_EQ(Calls<model::SetDemand>()[1].demands[0].count, 50);
  Hear(model::CallResult{LastCallId<model::SetDemand>(), {{"", model::Outcome::Ok(), {}}}});
  EXPECT_THAT(Calls<model::SetDemand>(), SizeIs(2));
}

TEST_F(TaskQueueTest, FillsAnOfferWithTheOldestThatFit) {
  StartCoreWithQueue();
  Subscribe();
  Submit(1, Want("big", "cpus:3"));
  Submit(2, Want("huge", "cpus:9"));
  Submit(3, Want("small", "cpus:1"));
  Submit(4, Want("late", "cpus:1"));
  Offer(MakeOffer(1));
  ASSERT_THAT(Calls<model::Accept>(), SizeIs(1));
  const std::vector<model::TaskSpec> tasks = Calls<model::Accept>()[0].tasks;
  ASSERT_THAT(tasks, SizeIs(2));
  EXPECT_EQ(tasks[0].id.value(), "big");
  EXPECT_EQ(tasks[1].id.value(), "small");
}

TEST_F(TaskQueueTest, EveryOfferThatIsNotUsedIsDeclinedWithAReason) {
  StartCoreWithQueue();
  Subscribe();
  Offer(MakeOffer(1));
  ASSERT_THAT(Calls<model::Decline>(), SizeIs(1));
  EXPECT_EQ(Calls<model::Decline>()[0].reason, model::DeclineReason::kNothingToRun);
  QueuedTask task = Want("a", "cpus:1;mem:64GiB");
  Submit(1, task);
  Offer(MakeOffer(2));
  ASSERT_THAT(Calls<model::Decline>(), SizeIs(2));
  EXPECT_EQ(Calls<model::Decline>()[1].reason, model::DeclineReason::kNotEnoughMem);
}

TEST_F(TaskQueueTest, ConstraintsKeepATaskFromAnAgent) {
  StartCoreWithQueue();
  Subscribe();
  QueuedTask task = Want("a");
  task.constraints = {*Constraint::Parse("hostname==host-A-2")};
  Submit(1, task);
  Offer(MakeOffer(1, "A-1"));
  ASSERT_THAT(Calls<model::Decline>(), SizeIs(1));
  EXPECT_EQ(Calls<model::Decline>()[0].reason, model::DeclineReason::kConstraint);
  Offer(MakeOffer(2, "A-2"));
  EXPECT_THAT(Calls<model::Accept>(), SizeIs(1));
}

TEST_F(TaskQueueTest, AResultCarriesHowItEndedAndIsAcknowledgedAfterwards) {
  StartCoreWithQueue();
  Subscribe();
  Submit(7, Want("a"));
  Offer(MakeOffer(1));
  Hear(MakeStatus("a", TaskState::kRunning, 1, Intent("a")));
  EXPECT_THAT(Noticed<TaskProgressed>(), SizeIs(1));
  EXPECT_THAT(Calls<model::Acknowledge>(), SizeIs(1));
  model::TaskStatus end = MakeStatus("a", TaskState::kFailed, 2, Intent("a"));
  end.exit_code = 3;
  end.reason = model::TaskReason::kExited;
  Hear(end);
  ASSERT_THAT(Noticed<TaskDone>(), SizeIs(1));
  const TaskDone done = Noticed<TaskDone>()[0];
  EXPECT_EQ(done.result.handle, 7u);
  EXPECT_EQ(done.result.status.exit_code, 3);
  EXPECT_EQ(done.result.hostname, "host-A-1");
  EXPECT_EQ(done.result.launches, 1);
  EXPECT_THAT(Calls<model::Acknowledge>(), SizeIs(1));
  Do(UpdateHandled{done.update});
  EXPECT_THAT(Calls<model::Acknowledge>(), SizeIs(2));
  EXPECT_EQ(core_->queue()->unfinished(), 0u);
}

TEST_F(TaskQueueTest, WhatWasNeverStartedIsLaunchedAgainUnderANewId) {
  StartCoreWithQueue();
  Subscribe();
  Submit(1, Want("a"));
  Offer(MakeOffer(1));
  Dropped("a");
  EXPECT_THAT(Noticed<TaskDone>(), SizeIs(0));
  EXPECT_THAT(Calls<model::Revive>(), SizeIs(2));
  Offer(MakeOffer(2));
  Dropped("a.r2");
  // From the second time on it waits a little.
  Offer(MakeOffer(3));
  EXPECT_EQ(Calls<model::Decline>().back().reason, model::DeclineReason::kBackingOff);
  AdvanceTo(core_->NextDeadline());
  Offer(MakeOffer(4));
  Hear(MakeStatus("a.r3", TaskState::kFinished, 1, Intent("a.r3")));
  ASSERT_THAT(Noticed<TaskDone>(), SizeIs(1));
  EXPECT_EQ(Noticed<TaskDone>()[0].result.launches, 3);
}

TEST_F(TaskQueueTest, ALaunchThatWasLostWithItsStreamIsDoneAgain) {
  StartCoreWithQueue();
  Subscribe();
  Submit(1, Want("a"));
  Offer(MakeOffer(1));
  Reconnect();
  Hear(Reconciled("a", TaskState::kUnknown));
  EXPECT_THAT(Noticed<TaskDone>(), SizeIs(0));
  Offer(MakeOffer(2));
  EXPECT_NE(Intent("a.r2"), Intent("a"));
}

// A master took it up, said so, and died before the agent had heard of it.
TEST_F(TaskQueueTest, AMastersWordAloneIsNoEvidenceThatItWasStarted) {
  StartCoreWithQueue();
  Subscribe();
  Submit(1, Want("a"));
  Offer(MakeOffer(1));
  Hear(MakeStatus("a", TaskState::kStaging, 0, Intent("a")));
  Reconnect();
  Hear(Reconciled("a", TaskState::kGone));
  EXPECT_THAT(Noticed<TaskDone>(), SizeIs(0));
  Offer(MakeOffer(2));
  EXPECT_NE(Intent("a.r2"), Intent("a"));
}

// The launch was lost with its master; the next one knows only that the agent is away.
TEST_F(TaskQueueTest, AnAgentThatIsUnreachableIsNoEvidenceThatItWasStarted) {
  StartCoreWithQueue();
  Subscribe();
  Submit(1, Want("a"));
  Offer(MakeOffer(1));
  Reconnect();
  Hear(Reconciled("a", TaskState::kUnreachable));
  EXPECT_THAT(Noticed<TaskProgressed>(), SizeIs(1));
  Hear(Reconciled("a", TaskState::kGone));  // The agent is back, without it.
  EXPECT_THAT(Noticed<TaskDone>(), SizeIs(0));
  Offer(MakeOffer(2));
  EXPECT_NE(Intent("a.r2"), Intent("a"));
}

TEST_F(TaskQueueTest, WhatRanAndIsUnknownIsNotRunAgain) {
  StartCoreWithQueue();
  Subscribe();
  Submit(1, Want("a"));
  Offer(MakeOffer(1));
  Hear(MakeStatus("a", TaskState::kRunning, 1, Intent("a")));
  Reconnect();
  Hear(Reconciled("a", TaskState::kUnknown));
  ASSERT_THAT(Noticed<TaskDone>(), SizeIs(1));
  EXPECT_EQ(Noticed<TaskDone>()[0].result.status.state, TaskState::kUnknown);
}

TEST_F(TaskQueueTest, KillsWhereverTheTaskIs) {
  StartCoreWithQueue();
  Subscribe();
  Submit(1, Want("waits"));
  Do(KillSubmittedAsked{1, std::nullopt});
  ASSERT_THAT(Noticed<TaskDone>(), SizeIs(1));
  EXPECT_EQ(Noticed<TaskDone>()[0].result.status.state, TaskState::kKilled);
  Submit(2, Want("runs"));
  Offer(MakeOffer(1));
  Do(KillSubmittedAsked{2, 10});
  ASSERT_THAT(Calls<model::Kill>(), SizeIs(1));
  // Dropped instead of killed: it is not tried again.
  Dropped("runs");
  ASSERT_THAT(Noticed<TaskDone>(), SizeIs(2));
  EXPECT_EQ(Noticed<TaskDone>()[1].result.status.state, TaskState::kKilled);
}

TEST_F(TaskQueueTest, TakesUpATaskOfAFormerLife) {
  Config config = DefaultConfig();
  config.saved = {model::FrameworkId("F-1"),
                  {{model::TaskId("a.r2"), "ia", model::AgentId("A-1")},
                   {model::TaskId("b"), "ib", model::AgentId("A-1")}}};
  StartCoreWithQueue(config);
  Submit(1, Want("a"));
  OpenStream();
  Welcome();
  EXPECT_THAT(Calls<model::Reconcile>()[0].tasks, SizeIs(2));
  EXPECT_EQ(core_->queue()->waiting(), 0u);
  Hear(MakeStatus("a.r2", TaskState::kFinished, 1, "ia"));
  ASSERT_THAT(Noticed<TaskDone>(), SizeIs(1));
  EXPECT_EQ(Noticed<TaskDone>()[0].result.handle, 1u);
  // One that ends before it is submitted again is remembered.
  Hear(MakeStatus("b", TaskState::kFailed, 1, "ib", 2));
  EXPECT_THAT(Calls<model::Acknowledge>(), SizeIs(0));
  Submit(2, Want("b"));
  ASSERT_THAT(Noticed<TaskDone>(), SizeIs(2));
  EXPECT_EQ(Noticed<TaskDone>()[1].result.status.state, TaskState::kFailed);
  EXPECT_THAT(Calls<model::Accept>(), SizeIs(0));
  // Only now does its user know: before, a crash would have lost it.
  Do(UpdateHandled{Noticed<TaskDone>()[1].update});
  EXPECT_THAT(Calls<model::Acknowledge>(), SizeIs(1));
}

TEST_F(TaskQueueTest, AnEndThatNobodyClaimsIsAcknowledgedAfterAWhile) {
  Config config = DefaultConfig();
  config.saved = {model::FrameworkId("F-1"), {{model::TaskId("a"), "ia", model::AgentId("A-1")}}};
  StartCoreWithQueue(config);
  OpenStream();
  Welcome();
  const Time heard = now_;
  Hear(MakeStatus("a", TaskState::kFinished, 1, "ia"));
  while (now_ < heard + TaskQueue::Options().claim_within_ms) {
    EXPECT_THAT(Calls<model::Acknowledge>(), SizeIs(0));
    Hear(model::Heartbeat{});
    AdvanceTo(now_ + 5'000);
  }
  EXPECT_THAT(Calls<model::Acknowledge>(), SizeIs(1));
  // Whoever comes later still than that is told all the same.
  Submit(1, Want("a"));
  ASSERT_THAT(Noticed<TaskDone>(), SizeIs(1));
  EXPECT_EQ(Noticed<TaskDone>()[0].update, 0u);
}

TEST_F(TaskQueueTest, WhatIsWantedIsSaidAgainWhenAnOfferCameToNothing) {
  StartCoreWithQueue();
  Subscribe();
  Submit(1, Want("a"));
  AnswerAll();
  Clear();
  Offer(MakeOffer(1, "A-1", "cpus:0.001"));
  ASSERT_THAT(Calls<model::Decline>(), SizeIs(1));
  ASSERT_THAT(Calls<model::SetDemand>(), SizeIs(1));
  EXPECT_EQ(Calls<model::SetDemand>()[0].demands[0].count, 1);
}

TEST_F(TaskQueueTest, AnOfferThatWasUsedTooLateDoesNotMakeATaskWait) {
  StartCoreWithQueue();
  Subscribe();
  Submit(1, Want("a"));
  for (int launch = 1; launch <= 5; ++launch) {
    const std::string task = launch == 1 ? "a" : "a.r" + std::to_string(launch);
    Offer(MakeOffer(static_cast<uint64_t>(launch)));
    ASSERT_THAT(Calls<model::Accept>(), SizeIs(launch));
    model::TaskStatus stale = MakeStatus(task, TaskState::kDropped, 0, Intent(task));
    stale.attempt = {};
    stale.source = model::StatusSource::kMaster;
    stale.reason = model::TaskReason::kInvalidOffer;
    Hear(stale);
  }
  EXPECT_EQ(core_->queue()->waiting(), 1u);
}

TEST_F(TaskQueueTest, RefusesWhatTheClusterWouldRefuse) {
  StartCoreWithQueue();
  Submit(1, Want("no blanks"));
  Submit(2, Want("a", ""));
  QueuedTask foreign = Want("b");
  foreign.role = "other";
  Submit(3, foreign);
  Submit(4, Want("c"));
  Submit(5, Want("c"));
  Submit(6, Want("d.r2"));
  std::vector<uint64_t> refused;
  for (const TaskDone& done : Noticed<TaskDone>()) {
    EXPECT_EQ(done.result.status.state, TaskState::kError);
    EXPECT_FALSE(done.result.status.message.empty());
    refused.push_back(done.result.handle);
  }
  EXPECT_THAT(refused, ::testing::ElementsAre(1, 2, 3, 5, 6));
}

}  // namespace
}  // namespace proffer::sdk
