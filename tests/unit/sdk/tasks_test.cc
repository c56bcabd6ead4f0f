// Offers, launches, statuses and reconciliation, conversation by conversation.
#include "unit/sdk/core_fixture.h"

namespace proffer::sdk {
namespace {

using model::TaskState;
using ::testing::ElementsAre;
using ::testing::SizeIs;

class TasksTest : public CoreFixture {
 protected:
  // Launches one task on a fresh offer and returns its intent id.
  std::string Launch(const std::string& id, uint64_t request = 0) {
    const model::Offer offer = MakeOffer(++offers_);
    Hear(model::Offers{{offer}});
    Do(AcceptAsked{request, {{offer.id}, {MakeSpec(id)}, std::nullopt}});
    const std::vector<model::Accept> accepts = Calls<model::Accept>();
    return accepts.empty() || accepts.back().tasks.empty() ? "" : accepts.back().tasks[0].intent_id;
  }

  uint64_t offers_ = 0;
};

TEST_F(TasksTest, AnIntentIsDurableBeforeTheAcceptGoesOut) {
  StartCore();
  Subscribe();
  hold_saves_ = true;
  Launch("t");
  EXPECT_THAT(Calls<model::Accept>(), SizeIs(0));
  ASSERT_THAT(saves_, SizeIs(1));
  EXPECT_EQ(saves_[0].changes[0].key, "intent/t");
  SaveAll();
  ASSERT_THAT(Calls<model::Accept>(), SizeIs(1));
  EXPECT_EQ(store_["intent/t"], Calls<model::Accept>()[0].tasks[0].intent_id + " A-1");
}

TEST_F(TasksTest, AnEphemeralFrameworkWritesNothing) {
  Config config = DefaultConfig();
  config.framework.ephemeral = true;
  StartCore(config);
  Subscribe();
  Launch("t");
  EXPECT_THAT(Calls<model::Accept>(), SizeIs(1));
  EXPECT_THAT(store_, SizeIs(0));
}

TEST_F(TasksTest, AStreamThatBreaksBeforeTheIntentIsDurableDropsTheTask) {
  StartCore();
  Subscribe();
  hold_saves_ = true;
  Launch("t", 5);
  BreakStream();
  EXPECT_EQ(LastUpdate().status.state, TaskState::kDropped);
  EXPECT_TRUE(LastUpdate().final);
  ASSERT_THAT(Told<CallDone>(), SizeIs(1));
  EXPECT_EQ(Told<CallDone>()[0].answer, Answer::kNotSent);
  Do(UpdateHandled{LastUpdate().number});
  SaveAll();
  OpenStream();
  Welcome();
  EXPECT_THAT(Calls<model::Accept>(), SizeIs(0));
  EXPECT_EQ(store_.count("intent/t"), 0u);
}

TEST_F(TasksTest, ACallThatIsOpenWhenTheStreamBreaksIsUnknown) {
  StartCore();
  Subscribe();
  Launch("t", 5);
  BreakStream();
  ASSERT_THAT(Told<CallDone>(), SizeIs(1));
  EXPECT_EQ(Told<CallDone>()[0].request, 5u);
  EXPECT_EQ(Told<CallDone>()[0].answer, Answer::kUnknown);
  EXPECT_THAT(Told<Update>(), SizeIs(0));
  Clear();
  OpenStream();
  Welcome();
  ASSERT_THAT(Calls<model::Reconcile>(), SizeIs(1));
  ASSERT_THAT(Calls<model::Reconcile>()[0].tasks, SizeIs(1));
  EXPECT_EQ(Calls<model::Reconcile>()[0].tasks[0].task.value(), "t");
  EXPECT_EQ(Calls<model::Reconcile>()[0].tasks[0].agent.value(), "A-1");
}

TEST_F(TasksTest, AnAnswerReachesWhoAsked) {
  StartCore();
  Subscribe();
  Launch("t", 5);
  Hear(model::CallResult{LastCallId<model::Accept>(), {{"t", model::Outcome::Ok(), {1, 3}}}});
  ASSERT_THAT(Told<CallDone>(), SizeIs(1));
  EXPECT_EQ(Told<CallDone>()[0].answer, Answer::kAnswered);
  EXPECT_EQ(Told<CallDone>()[0].items[0].attempt, (model::AttemptId{1, 3}));
}

TEST_F(TasksTest, OffersCanBeUsedOnce) {
  StartCore();
  Subscribe();
  const model::Offer offer = MakeOffer(1);
  Hear(model::Offers{{offer}});
  Do(AcceptAsked{0, {{offer.id}, {MakeSpec("a")}, std::nullopt}});
  Do(AcceptAsked{0, {{offer.id}, {MakeSpec("b")}, std::nullopt}});
  EXPECT_THAT(Calls<model::Accept>(), SizeIs(1));
  EXPECT_EQ(LastUpdate().status.task.value(), "b");
  EXPECT_EQ(LastUpdate().status.state, TaskState::kDropped);
  EXPECT_TRUE(LastUpdate().own);
}

TEST_F(TasksTest, RescindedOffersAndThoseOfABrokenStreamCannotBeUsed) {
  StartCore();
  Subscribe();
  Hear(model::Offers{{MakeOffer(1), MakeOffer(2)}});
  Hear(model::Rescinded{{{1, 1}}, "agent lost"});
  ASSERT_THAT(Told<OffersVoid>(), SizeIs(1));
  EXPECT_EQ(Told<OffersVoid>()[0].reason, "agent lost");
  Do(AcceptAsked{0, {{{1, 1}, {1, 2}}, {MakeSpec("a")}, std::nullopt}});
  EXPECT_THAT(Calls<model::Accept>(), SizeIs(0));
  // The good one of the two is not kept from others.
  ASSERT_THAT(Calls<model::Decline>(), SizeIs(1));
  EXPECT_THAT(Calls<model::Decline>()[0].offers, ElementsAre(model::OfferId{1, 2}));
  Hear(model::Offers{{MakeOffer(3)}});
  BreakStream();
  Subscribe();
  Do(AcceptAsked{0, {{{1, 3}}, {MakeSpec("b")}, std::nullopt}});
  EXPECT_THAT(Calls<model::Accept>(), SizeIs(0));
}

TEST_F(TasksTest, OffersThatNobodyAnswersAreDeclined) {
  StartCore();
  Subscribe();
  Hear(model::Offers{{MakeOffer(1)}});
  for (int i = 0; i < 6; ++i) {
    now_ = now_ + 10'000;
    Tick();
    Hear(model::Heartbeat{});
  }
  ASSERT_THAT(Calls<model::Decline>(), SizeIs(1));
  EXPECT_THAT(Told<OffersVoid>(), SizeIs(1));
  Do(AcceptAsked{0, {{{1, 1}}, {MakeSpec("a")}, std::nullopt}});
  EXPECT_THAT(Calls<model::Accept>(), SizeIs(0));
}

TEST_F(TasksTest, AStatusIsAcknowledgedAfterTheUserIsDoneWithIt) {
  StartCore();
  Subscribe();
  const std::string intent = Launch("t");
  Hear(MakeStatus("t", TaskState::kRunning, 1, intent));
  EXPECT_THAT(Calls<model::Acknowledge>(), SizeIs(0));
  Do(UpdateHandled{LastUpdate().number});
  ASSERT_THAT(Calls<model::Acknowledge>(), SizeIs(1));
  const model::Acknowledge ack = Calls<model::Acknowledge>()[0];
  EXPECT_EQ(ack.task.value(), "t");
  EXPECT_EQ(ack.agent.value(), "A-1");
  EXPECT_EQ(ack.attempt, (model::AttemptId{1, 1}));
  EXPECT_EQ(ack.sequence, 1u);
  Do(UpdateHandled{LastUpdate().number});
  EXPECT_THAT(Calls<model::Acknowledge>(), SizeIs(1));
}

TEST_F(TasksTest, StatusesOfSequenceZeroAreNeverAcknowledged) {
  StartCore();
  Subscribe();
  const std::string intent = Launch("t");
  Hear(MakeStatus("t", TaskState::kUnreachable, 0, intent));
  Do(UpdateHandled{LastUpdate().number});
  EXPECT_THAT(Calls<model::Acknowledge>(), SizeIs(0));
}

TEST_F(TasksTest, ARepetitionIsFlaggedAndStillAcknowledged) {
  StartCore();
  Subscribe();
  const std::string intent = Launch("t");
  Hear(MakeStatus("t", TaskState::kRunning, 1, intent));
  Hear(MakeStatus("t", TaskState::kRunning, 1, intent));  // While the user is at it.
  EXPECT_THAT(Told<Update>(), SizeIs(1));
  Do(UpdateHandled{LastUpdate().number});
  Hear(MakeStatus("t", TaskState::kRunning, 1, intent));
  ASSERT_THAT(Told<Update>(), SizeIs(2));
  EXPECT_TRUE(LastUpdate().duplicate);
  Do(UpdateHandled{LastUpdate().number});
  EXPECT_THAT(Calls<model::Acknowledge>(), SizeIs(2));
}

TEST_F(TasksTest, TheEndIsToldOnceAndItsIntentRemovedBeforeItIsAcknowledged) {
  StartCore();
  Subscribe();
  const std::string intent = Launch("t");
  Hear(MakeStatus("t", TaskState::kFinished, 1, intent));
  EXPECT_TRUE(LastUpdate().final);
  EXPECT_TRUE(LastUpdate().own);
  hold_saves_ = true;
  Do(UpdateHandled{LastUpdate().number});
  EXPECT_EQ(store_.count("intent/t"), 0u);
  EXPECT_THAT(Calls<model::Acknowledge>(), SizeIs(0));
  SaveAll();
  EXPECT_THAT(Calls<model::Acknowledge>(), SizeIs(1));
  hold_saves_ = false;
  BreakStream();
  Subscribe();
  Hear(MakeStatus("t", TaskState::kFinished, 1, intent));
  EXPECT_TRUE(LastUpdate().duplicate);
  EXPECT_FALSE(LastUpdate().final);
  Do(UpdateHandled{LastUpdate().number});
  EXPECT_THAT(Calls<model::Acknowledge>(), SizeIs(1));
}

// The disk of its agent lost that it had been RUNNING, and the agent found it ended.
TEST_F(TasksTest, AnEndIsNewsThoughItsNumberIsNot) {
  StartCore();
  Subscribe();
  const std::string intent = Launch("t");
  Hear(MakeStatus("t", TaskState::kRunning, 1, intent));
  Do(UpdateHandled{LastUpdate().number});
  Hear(MakeStatus("t", TaskState::kFailed, 1, intent));
  EXPECT_TRUE(LastUpdate().final);
  EXPECT_FALSE(LastUpdate().duplicate);
  Do(UpdateHandled{LastUpdate().number});
  Hear(MakeStatus("t", TaskState::kFailed, 1, intent));
  EXPECT_TRUE(LastUpdate().duplicate);
  EXPECT_FALSE(LastUpdate().final);
}

TEST_F(TasksTest, TheEndInAnAnswerAndTheEndItselfAreOneEnd) {
  StartCore();
  Subscribe();
  const std::string intent = Launch("t");
  model::TaskStatus answer = MakeStatus("t", TaskState::kFinished, 0, intent);
  answer.reason = model::TaskReason::kReconciled;
  Hear(answer);
  EXPECT_TRUE(LastUpdate().final);
  Hear(MakeStatus("t", TaskState::kRunning, 1, intent));
  EXPECT_TRUE(LastUpdate().duplicate);
  Do(UpdateHandled{Told<Update>()[0].number});
  Do(UpdateHandled{Told<Update>()[1].number});
  Hear(MakeStatus("t", TaskState::kFinished, 2, intent));
  EXPECT_TRUE(LastUpdate().duplicate);
  EXPECT_FALSE(LastUpdate().final);
  Do(UpdateHandled{LastUpdate().number});
  EXPECT_THAT(Calls<model::Acknowledge>(), SizeIs(2));
}

TEST_F(TasksTest, ARepeatedEndIsNotAcknowledgedBeforeItsIntentIsRemoved) {
  StartCore();
  Subscribe();
  const std::string intent = Launch("t");
  Hear(MakeStatus("t", TaskState::kFinished, 1, intent));
  hold_saves_ = true;
  Do(UpdateHandled{LastUpdate().number});
  Hear(MakeStatus("t", TaskState::kFinished, 1, intent));
  EXPECT_TRUE(LastUpdate().duplicate);
  Do(UpdateHandled{LastUpdate().number});
  EXPECT_THAT(Calls<model::Acknowledge>(), SizeIs(0));
  SaveAll();
  EXPECT_THAT(Calls<model::Acknowledge>(), SizeIs(2));
}

TEST_F(TasksTest, AnIdMayBeUsedAgainOnceItsEndWasHandled) {
  StartCore();
  Subscribe();
  const std::string first = Launch("t");
  Hear(MakeStatus("t", TaskState::kFailed, 1, first));
  const uint64_t number = LastUpdate().number;
  Clear();
  EXPECT_EQ(Launch("t"), "");
  Clear();
  Do(UpdateHandled{number});
  const std::string second = Launch("t");
  EXPECT_NE(first, second);
  ASSERT_THAT(calls_, SizeIs(2));
  EXPECT_TRUE(std::holds_alternative<model::Acknowledge>(calls_[0].call));
  EXPECT_TRUE(std::holds_alternative<model::Accept>(calls_[1].call));
  EXPECT_EQ(store_["intent/t"], second + " A-1");
  Hear(MakeStatus("t", TaskState::kFinished, 1, second, 2));
  EXPECT_TRUE(LastUpdate().final);
}

TEST_F(TasksTest, ATaskIdThatLivesIsNotLaunchedAgain) {
  StartCore();
  Subscribe();
  Launch("t");
  Clear();
  Launch("t", 9);
  ASSERT_THAT(Calls<model::Accept>(), SizeIs(1));
  EXPECT_THAT(Calls<model::Accept>()[0].tasks, SizeIs(0));
  Hear(model::CallResult{LastCallId<model::Accept>(), {{"", model::Outcome::Ok(), {}}}});
  ASSERT_THAT(Told<CallDone>(), SizeIs(1));
  EXPECT_EQ(Told<CallDone>()[0].items.back().outcome.refusal, model::Refusal::kDuplicateTask);
}

TEST_F(TasksTest, ARefusalWithoutAStatusBecomesOne) {
  StartCore();
  Subscribe();
  Launch("t");
  Hear(model::CallResult{LastCallId<model::Accept>(),
                         {{"t", {model::Refusal::kDuplicateTask, "lives already"}, {}}}});
  EXPECT_EQ(LastUpdate().status.state, TaskState::kError);
  EXPECT_TRUE(LastUpdate().final);
}

TEST_F(TasksTest, ARefusalWithAStatusIsNotToldTwice) {
  StartCore();
  Subscribe();
  const std::string intent = Launch("t");
  model::TaskStatus status = MakeStatus("t", TaskState::kDropped, 0, intent);
  status.attempt = {};
  Hear(status);
  Hear(model::CallResult{LastCallId<model::Accept>(),
                         {{"t", {model::Refusal::kStaleOffer, "too late"}, {}}}});
  EXPECT_THAT(Told<Update>(), SizeIs(1));
}

TEST_F(TasksTest, ReconcilesUntilEverythingIsKnownAndThenAsksForStrangers) {
  Config config = DefaultConfig();
  config.saved = {model::FrameworkId("F-1"),
                  {{model::TaskId("a"), "ia", model::AgentId("A-1")},
                   {model::TaskId("b"), "ib", model::AgentId("A-2")}}};
  StartCore(config);
  OpenStream();
  Welcome();
  ASSERT_THAT(Calls<model::Reconcile>(), SizeIs(1));
  EXPECT_THAT(Calls<model::Reconcile>()[0].tasks, SizeIs(2));
  Hear(MakeStatus("a", TaskState::kRunning, 1, "ia"));
  Hear(model::CallResult{LastCallId<model::Reconcile>(),
                         {{"a", model::Outcome::Ok(), {1, 1}},
                          {"b", {model::Refusal::kNotKnownYet, "ask again"}, {}}}});
  EXPECT_THAT(Calls<model::Reconcile>(), SizeIs(1));
  AdvanceTo(core_->NextDeadline());
  ASSERT_THAT(Calls<model::Reconcile>(), SizeIs(2));
  ASSERT_THAT(Calls<model::Reconcile>()[1].tasks, SizeIs(1));
  EXPECT_EQ(Calls<model::Reconcile>()[1].tasks[0].task.value(), "b");
  model::TaskStatus unknown;
  unknown.task = model::TaskId("b");
  unknown.state = TaskState::kUnknown;
  unknown.reason = model::TaskReason::kReconciled;
  Hear(unknown);
  EXPECT_TRUE(LastUpdate().final);
  EXPECT_TRUE(LastUpdate().own);
  EXPECT_EQ(LastUpdate().status.intent_id, "ib");
  Hear(model::CallResult{LastCallId<model::Reconcile>(), {{"b", model::Outcome::Ok(), {}}}});
  ASSERT_THAT(Calls<model::Reconcile>(), SizeIs(3));
  EXPECT_THAT(Calls<model::Reconcile>()[2].tasks, SizeIs(0));
  Hear(model::CallResult{LastCallId<model::Reconcile>(),
                         {{"", {model::Refusal::kNotKnownYet, "ask again"}, {}}}});
  EXPECT_THAT(Told<Reconciled>(), SizeIs(0));
  AdvanceTo(core_->NextDeadline());
  ASSERT_THAT(Calls<model::Reconcile>(), SizeIs(4));
  Hear(model::CallResult{LastCallId<model::Reconcile>(), {{"", model::Outcome::Ok(), {}}}});
  EXPECT_THAT(Told<Reconciled>(), SizeIs(1));
}

TEST_F(TasksTest, AStrangerIsToldAsSuchAndKeptInMind) {
  StartCore();
  Subscribe();
  Hear(MakeStatus("stranger", TaskState::kRunning, 1, "theirs"));
  EXPECT_FALSE(LastUpdate().own);
  Do(UpdateHandled{LastUpdate().number});
  BreakStream();
  Clear();
  OpenStream();
  Welcome();
  EXPECT_THAT(Calls<model::Reconcile>()[0].tasks, SizeIs(1));
}

TEST_F(TasksTest, AnAnswerAboutAnEarlierLaunchMeansThatTheLaterOneIsUnknown) {
  StartCore();
  Subscribe();
  const std::string first = Launch("t");
  Hear(MakeStatus("t", TaskState::kDropped, 1, first));
  Do(UpdateHandled{LastUpdate().number});
  const std::string second = Launch("t");
  BreakStream();
  OpenStream();
  Welcome();
  deliveries_.clear();
  model::TaskStatus answer = MakeStatus("t", TaskState::kDropped, 0);
  answer.reason = model::TaskReason::kReconciled;
  Hear(answer);
  Hear(model::CallResult{LastCallId<model::Reconcile>(), {{"t", model::Outcome::Ok(), {1, 1}}}});
  ASSERT_THAT(Told<Update>(), SizeIs(2));
  EXPECT_TRUE(Told<Update>()[0].duplicate);
  EXPECT_EQ(LastUpdate().status.state, TaskState::kUnknown);
  EXPECT_EQ(LastUpdate().status.intent_id, second);
  EXPECT_TRUE(LastUpdate().final);
}

TEST_F(TasksTest, AKillBetweenHelloAndWelcomeIsSentWhenTheTaskIsFound) {
  StartCore();
  Subscribe();
  const std::string intent = Launch("t");
  Hear(MakeStatus("t", TaskState::kRunning, 1, intent));
  Do(UpdateHandled{LastUpdate().number});
  BreakStream();
  OpenStream();
  Do(KillAsked{0, {model::TaskId("t"), {}, 100}});
  Welcome();
  EXPECT_THAT(Calls<model::Kill>(), SizeIs(0));
  model::TaskStatus answer = MakeStatus("t", TaskState::kRunning, 0, intent);
  answer.reason = model::TaskReason::kReconciled;
  Hear(answer);
  EXPECT_THAT(Calls<model::Kill>(), SizeIs(1));
}

TEST_F(TasksTest, AKillIsRepeatedOnTheNextStreamForATaskThatStillLives) {
  StartCore();
  Subscribe();
  const std::string intent = Launch("t");
  BreakStream();
  Do(KillAsked{0, {model::TaskId("t"), {}, 100}});
  Clear();
  OpenStream();
  Welcome();
  EXPECT_THAT(Calls<model::Kill>(), SizeIs(0));
  Hear(MakeStatus("t", TaskState::kRunning, 1, intent));
  ASSERT_THAT(Calls<model::Kill>(), SizeIs(1));
  EXPECT_EQ(Calls<model::Kill>()[0].grace_ms, 100);
  Hear(MakeStatus("t", TaskState::kKilling, 2, intent));
  EXPECT_THAT(Calls<model::Kill>(), SizeIs(1));
}

TEST_F(TasksTest, AKillOfATaskThatIsNotKnownYetIsSaidAgainWhenItIsSpokenOf) {
  StartCore();
  Subscribe();
  const std::string intent = Launch("t");
  AnswerAll();
  Clear();
  Do(KillAsked{7, {model::TaskId("t"), {}, std::nullopt}});
  Hear(model::CallResult{LastCallId<model::Kill>(),
                         {{"t", {model::Refusal::kNotKnownYet, "its agent is away"}, {}}}});
  EXPECT_THAT(Calls<model::Kill>(), SizeIs(1));
  Hear(MakeStatus("t", TaskState::kRunning, 1, intent));
  EXPECT_THAT(Calls<model::Kill>(), SizeIs(2));
  Hear(MakeStatus("t", TaskState::kKilling, 2, intent));
  EXPECT_THAT(Calls<model::Kill>(), SizeIs(2));
}

}  // namespace
}  // namespace proffer::sdk
