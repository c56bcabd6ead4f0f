// How a scheduler's core finds, keeps and leaves the master.
#include "unit/sdk/core_fixture.h"

namespace proffer::sdk {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::Pair;
using ::testing::SizeIs;

class StreamTest : public CoreFixture {};

TEST_F(StreamTest, SaysHelloFirstAndWithoutAnIdWhenItHasNone) {
  StartCore();
  EXPECT_THAT(connects_, ElementsAre(0));
  OpenStream();
  ASSERT_THAT(calls_, SizeIs(1));
  const auto& hello = std::get<model::Subscribe>(calls_[0].call);
  EXPECT_EQ(hello.version, model::ThisVersion());
  EXPECT_TRUE(hello.framework.id.empty());
  EXPECT_EQ(hello.framework.name, "test");
}

TEST_F(StreamTest, UsesTheIdOfAFormerLife) {
  Config config = DefaultConfig();
  config.saved.framework = model::FrameworkId("F-9");
  StartCore(config);
  OpenStream();
  EXPECT_EQ(Calls<model::Subscribe>()[0].framework.id.value(), "F-9");
}

TEST_F(StreamTest, TellsTheUserOnlyWhenTheNewIdIsDurable) {
  hold_saves_ = true;
  StartCore();
  OpenStream();
  Welcome("F-1");
  Hear(model::Offers{{MakeOffer(1)}});
  EXPECT_THAT(Told<Ready>(), SizeIs(0));
  EXPECT_THAT(Told<OffersCame>(), SizeIs(0));
  EXPECT_EQ(store_["framework_id"], "F-1");
  SaveAll();
  EXPECT_THAT(Told<Ready>(), SizeIs(1));
  EXPECT_THAT(Told<OffersCame>(), SizeIs(1));
}

TEST_F(StreamTest, KeepsItsIdOnTheNextStream) {
  StartCore();
  Subscribe();
  BreakStream();
  OpenStream();
  EXPECT_EQ(Calls<model::Subscribe>()[0].framework.id.value(), "F-1");
}

TEST_F(StreamTest, WaitsRandomTimesBelowADoublingBound) {
  StartCore();
  int64_t largest = 0;
  for (int i = 0; i < 40; ++i) {
    Do(StreamDown{0, "nobody there"});
    const int64_t bound = std::min<int64_t>(10'000, int64_t{100} << std::min(i, 20));
    EXPECT_LE(connects_.back(), bound);
    EXPECT_GE(connects_.back(), 0);
    largest = std::max(largest, connects_.back());
  }
  EXPECT_GT(largest, 5'000);
  EXPECT_NE(connects_[38], connects_[39]);
}

TEST_F(StreamTest, AHeartbeatIsAnsweredAndEndsTheBackoff) {
  StartCore();
  for (int i = 0; i < 10; ++i) Do(StreamDown{0, "nobody there"});
  Subscribe();
  Hear(model::Heartbeat{});
  EXPECT_THAT(Calls<model::HeartbeatAnswer>(), SizeIs(1));
  BreakStream();
  EXPECT_EQ(connects_.back(), 0);
}

TEST_F(StreamTest, LeavesAMasterThatIsSilentForThreeHeartbeats) {
  StartCore();
  Subscribe();
  now_ = now_ + 14'999;
  Tick();
  EXPECT_FALSE(dropped_);
  Hear(model::Heartbeat{});
  AdvanceTo(now_ + 14'999);
  EXPECT_FALSE(dropped_);
  AdvanceTo(now_ + 1);
  ASSERT_TRUE(dropped_);
  EXPECT_EQ(dropped_->stream, stream_);
  EXPECT_THAT(Told<Disconnected>(), SizeIs(1));
  EXPECT_THAT(connects_, SizeIs(1));
}

TEST_F(StreamTest, ItsOwnLatenessIsNoSilenceOfTheMaster) {
  StartCore();
  Subscribe();
  AdvanceTo(now_ + 60'000);  // As after a suspended machine: the deadline passed 45 s ago.
  EXPECT_FALSE(dropped_);
  AdvanceTo(core_->NextDeadline());
  EXPECT_TRUE(dropped_);
}

TEST_F(StreamTest, LeavesAMasterThatDoesNotAnswerTheHello) {
  StartCore();
  OpenStream();
  AdvanceTo(core_->NextDeadline());
  EXPECT_TRUE(dropped_);
}

TEST_F(StreamTest, EventsOfAnOlderStreamAreIgnored) {
  StartCore();
  Subscribe();
  BreakStream();
  OpenStream();
  Clear();
  Do(EventReceived{stream_ - 1, now_, model::Heartbeat{}});
  EXPECT_THAT(calls_, SizeIs(0));
}

TEST_F(StreamTest, AnUnknownEventIsIgnoredAndCountsAsLife) {
  StartCore();
  Subscribe();
  AdvanceTo(now_ + 10'000);
  Hear(std::monostate{});
  EXPECT_THAT(deliveries_, SizeIs(0));
  AdvanceTo(now_ + 14'000);
  EXPECT_FALSE(dropped_);
}

TEST_F(StreamTest, NewsOfALeaderShortensTheWaitAlsoWhileTheFormerOneIsTried) {
  StartCore();
  for (int i = 0; i < 20; ++i) Do(StreamDown{0, "nobody there"});
  OpenStream();
  connects_.clear();
  Do(LeaderFound{});
  EXPECT_THAT(connects_, SizeIs(0));  // It may be the one that this stream leads to.
  BreakStream();
  EXPECT_THAT(connects_, ElementsAre(Le(100)));
}

TEST_F(StreamTest, SupersededStopsForGood) {
  StartCore();
  Subscribe();
  Hear(model::StreamError{model::Refusal::kSuperseded, "a newer one"});
  ASSERT_TRUE(stop_);
  EXPECT_EQ(stop_->cause, Stop::Cause::kSuperseded);
  EXPECT_EQ(stop_->message, "a newer one");
  EXPECT_THAT(Told<Disconnected>(), SizeIs(0));
  EXPECT_THAT(connects_, SizeIs(0));
  OpenStream();
  EXPECT_THAT(Calls<model::Subscribe>(), SizeIs(0));
  EXPECT_TRUE(core_->NextDeadline().IsNever());
}

TEST_F(StreamTest, ARemovedFrameworkStopsByDefault) {
  StartCore();
  Subscribe();
  Hear(model::StreamError{model::Refusal::kFrameworkRemoved, "torn down"});
  ASSERT_TRUE(stop_);
  EXPECT_EQ(stop_->cause, Stop::Cause::kRemoved);
  EXPECT_EQ(stop_->refusal, model::Refusal::kFrameworkRemoved);
}

TEST_F(StreamTest, ARemovedFrameworkMayBeginAnew) {
  Config config = DefaultConfig();
  config.on_removed = OnRemoved::kNewId;
  config.saved = {model::FrameworkId("F-0"),
                  {{model::TaskId("old"), "intent", model::AgentId("A-1")}}};
  store_ = {{"framework_id", "F-0"}, {"intent/old", "intent A-1"}};
  StartCore(config);
  OpenStream();
  Hear(model::StreamError{model::Refusal::kUnknownFramework, "never heard of it"});
  EXPECT_FALSE(stop_);
  EXPECT_EQ(LastUpdate().status.state, model::TaskState::kUnknown);
  EXPECT_TRUE(LastUpdate().final);
  EXPECT_TRUE(LastUpdate().own);
  Do(UpdateHandled{LastUpdate().number});
  EXPECT_THAT(store_, ElementsAre(Pair("instance", "1")));
  Clear();
  OpenStream();
  EXPECT_TRUE(Calls<model::Subscribe>()[0].framework.id.empty());
}

TEST_F(StreamTest, AnIncompatibleMasterIsRefused) {
  StartCore();
  OpenStream();
  model::Version other = model::ThisVersion();
  other.major += 7;
  Hear(model::Subscribed{other, model::FrameworkId("F-1"), "cluster", 1, 5000});
  ASSERT_TRUE(stop_);
  EXPECT_EQ(stop_->cause, Stop::Cause::kRefused);
  EXPECT_EQ(stop_->refusal, model::Refusal::kUnsupportedVersion);
}

TEST_F(StreamTest, AMasterThatDoesNotLeadIsLeftForAnother) {
  StartCore();
  OpenStream();
  Hear(model::StreamError{model::Refusal::kNotLeader, "ask the other"});
  EXPECT_FALSE(stop_);
  EXPECT_TRUE(dropped_);
  EXPECT_THAT(connects_, SizeIs(2));
}

TEST_F(StreamTest, GivesUpWhenToldTo) {
  Config config = DefaultConfig();
  config.give_up_after_ms = 2'000;
  StartCore(config);
  Do(StreamDown{0, "nobody there"});
  AdvanceTo(now_ + 2'000);
  ASSERT_TRUE(stop_);
  EXPECT_EQ(stop_->cause, Stop::Cause::kGaveUp);
}

TEST_F(StreamTest, DemandAndSuppressionSurviveTheStream) {
  StartCore();
  Subscribe();
  Do(SuppressAsked{});
  Do(DemandAsked{0, {true, {}}});
  EXPECT_THAT(Calls<model::Suppress>(), SizeIs(1));
  EXPECT_THAT(Calls<model::SetDemand>(), SizeIs(1));
  BreakStream();
  Clear();
  OpenStream();
  EXPECT_THAT(Calls<model::Subscribe>()[0].suppressed_roles, ElementsAre("default"));
  Welcome();
  EXPECT_THAT(Calls<model::SetDemand>(), SizeIs(1));
}

TEST_F(StreamTest, WhatIsAskedBetweenHelloAndWelcomeIsNotLost) {
  Config config = DefaultConfig();
  config.suppressed_roles = {"default"};
  StartCore(config);
  OpenStream();
  Do(ReviveAsked{});
  EXPECT_THAT(Calls<model::Revive>(), SizeIs(0));
  Welcome();
  ASSERT_THAT(Calls<model::Revive>(), SizeIs(1));
  EXPECT_THAT(Calls<model::Revive>()[0].roles, ElementsAre("default"));
  BreakStream();
  Clear();
  OpenStream();
  Do(SuppressAsked{});
  Welcome();
  ASSERT_THAT(Calls<model::Suppress>(), SizeIs(1));
  BreakStream();
  Clear();
  OpenStream();
  Do(FrameworkUpdateAsked{0, {"default", "more"}, 0});
  Welcome();
  ASSERT_THAT(Calls<model::UpdateFramework>(), SizeIs(1));
  EXPECT_THAT(Calls<model::UpdateFramework>()[0].suppressed_roles, ElementsAre("default"));
}

TEST_F(StreamTest, TeardownWaitsForAStreamAndEndsWithIt) {
  StartCore();
  Subscribe();
  BreakStream();
  Do(TeardownAsked{});
  EXPECT_FALSE(stop_);
  OpenStream();
  Welcome();
  EXPECT_THAT(Calls<model::Teardown>(), SizeIs(1));
  Hear(model::StreamError{model::Refusal::kFrameworkRemoved, "torn down by its scheduler"});
  ASSERT_TRUE(stop_);
  EXPECT_EQ(stop_->cause, Stop::Cause::kTornDown);
  EXPECT_THAT(store_, SizeIs(0));
}

TEST_F(StreamTest, SaysWhichInstanceItIsOnceThatIsDurable) {
  hold_saves_ = true;
  Config config = DefaultConfig();
  config.saved.instance = 4;
  StartCore(config);
  OpenStream();
  EXPECT_THAT(Calls<model::Subscribe>(), SizeIs(0));
  EXPECT_EQ(store_["instance"], "5");
  SaveAll();
  ASSERT_THAT(Calls<model::Subscribe>(), SizeIs(1));
  EXPECT_EQ(Calls<model::Subscribe>()[0].instance, 5u);
  // It is the same one on its next stream.
  BreakStream();
  Clear();
  OpenStream();
  EXPECT_EQ(Calls<model::Subscribe>()[0].instance, 5u);
}

TEST_F(StreamTest, AnEphemeralFrameworkCountsNoInstances) {
  Config config = DefaultConfig();
  config.framework.ephemeral = true;
  StartCore(config);
  OpenStream();
  EXPECT_EQ(Calls<model::Subscribe>()[0].instance, 0u);
  EXPECT_THAT(store_, SizeIs(0));
}

TEST_F(StreamTest, BelongsToTheClusterThatWelcomedItFirst) {
  StartCore();
  OpenStream();
  EXPECT_EQ(Calls<model::Subscribe>()[0].cluster_id, "");
  Welcome();
  EXPECT_EQ(store_["cluster_id"], "cluster");
  BreakStream();
  Clear();
  OpenStream();
  EXPECT_EQ(Calls<model::Subscribe>()[0].cluster_id, "cluster");
  // A master of before that field does not look at it.
  Hear(model::Subscribed{model::ThisVersion(), model::FrameworkId("F-1"), "another", 1, 5000});
  ASSERT_TRUE(stop_);
  EXPECT_EQ(stop_->cause, Stop::Cause::kRefused);
  EXPECT_EQ(stop_->refusal, model::Refusal::kWrongCluster);
  EXPECT_THAT(stop_->message, HasSubstr("cluster, the master is of another"));
  EXPECT_EQ(store_["cluster_id"], "cluster");
}

TEST_F(StreamTest, DoesNotBeginAnewInAnotherClusterThoughItMayBeginAnew) {
  Config config = DefaultConfig();
  config.on_removed = OnRemoved::kNewId;
  config.saved = {model::FrameworkId("F-0"),
                  {{model::TaskId("old"), "intent", model::AgentId("A-1")}},
                  "cluster",
                  1};
  StartCore(config);
  OpenStream();
  EXPECT_EQ(Calls<model::Subscribe>()[0].cluster_id, "cluster");
  Hear(model::StreamError{model::Refusal::kWrongCluster, "this is another one"});
  ASSERT_TRUE(stop_);
  EXPECT_EQ(stop_->refusal, model::Refusal::kWrongCluster);
  EXPECT_THAT(Told<Update>(), SizeIs(0));  // Its task may well be running.
}

TEST_F(StreamTest, SavedStateOfAnotherMakeIsRefusedByName) {
  const absl::StatusOr<SavedState> saved = ParseSavedState(
      {{"framework_id", "F-1"}, {"cluster_id", "C-1"}, {"instance", "7"}, {"intent/t", "i A-1"}});
  ASSERT_TRUE(saved.ok()) << saved.status();
  EXPECT_EQ(saved->cluster_id, "C-1");
  EXPECT_EQ(saved->instance, 7u);
  EXPECT_FALSE(ParseSavedState({{"instance", "seven"}}).ok());
  EXPECT_FALSE(ParseSavedState({{"cluster_id", ""}}).ok());
  const absl::Status status = ParseSavedState({{"intent/t", "nonsense"}}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("intent/t"));
}

}  // namespace
}  // namespace proffer::sdk
