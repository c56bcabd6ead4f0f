// Sessions and elections on real ZooKeeper servers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "cluster/zookeeper_fixture.h"
#include "common/zookeeper/contender.h"
#include "common/zookeeper/leader_watch.h"
#include "support/relay.h"

namespace proffer::zk {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

LeaderInfo Info(const std::string& instance) {
  return {instance, {absl::StrCat("unix:/", instance)}, "0.1.0", ""};
}

class SessionTest : public ZooKeeperTest {};

TEST_F(SessionTest, ReadsWhatItWrote) {
  const auto session = Connect();
  ASSERT_TRUE(session->MakePath("/a/b").ok());
  ASSERT_TRUE(session->MakePath("/a/b").ok());  // What is there is fine.
  ASSERT_TRUE(session->Create("/a/x", std::string("1\0", 2)).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(session->Create("/a/x", "")));
  EXPECT_THAT(*session->Children("/a", false), ElementsAre("b", "x"));
  const auto node = session->Get("/a/x");
  ASSERT_TRUE(node.ok()) << node.status();
  EXPECT_EQ(node->data, std::string("1\0", 2));
  EXPECT_EQ(node->version, 0);
  EXPECT_GT(node->created_zxid, 0);
  EXPECT_EQ(session->Exists("/a/x", false).value()->created_zxid, node->created_zxid);
  EXPECT_TRUE(absl::IsNotFound(session->Get("/a/y").status()));
  EXPECT_FALSE(session->Exists("/a/y", false).value().has_value());
  EXPECT_TRUE(absl::IsAborted(session->Delete("/a/x", 7)));
  EXPECT_TRUE(session->Delete("/a/x", 0).ok());
}

TEST_F(SessionTest, AMultiHappensWhollyOrNotAtAllAndNamesWhatWasRefused) {
  const auto session = Connect();
  ASSERT_TRUE(session->MakePath("").ok());
  EXPECT_TRUE(session->Multi({CreateOp("/a", "1"), SetOp("/a", "2", 0)}).status.ok());
  const MultiResult refused = session->Multi({CreateOp("/b", ""), CheckOp("/a", 5)});
  EXPECT_TRUE(absl::IsAborted(refused.status)) << refused.status;
  EXPECT_EQ(refused.refused, std::optional<size_t>(1));
  EXPECT_THAT(std::string(refused.status.message()), HasSubstr("/a"));
  EXPECT_THAT(*session->Children("", false), ElementsAre("a"));
  EXPECT_EQ(session->Get("/a")->data, "2");
}

TEST_F(SessionTest, ManyGetsAnswerInTheirOrder) {
  const auto session = Connect();
  ASSERT_TRUE(session->MakePath("").ok());
  std::vector<std::string> paths;
  std::vector<Op> ops;
  for (int i = 0; i < 1'000; ++i) {
    paths.push_back(absl::StrCat("/", i));
    if (i % 3 != 0) ops.push_back(CreateOp(paths.back(), absl::StrCat(i)));
  }
  ASSERT_TRUE(session->Multi(ops).status.ok());
  const auto nodes = session->GetAll(paths);
  ASSERT_TRUE(nodes.ok()) << nodes.status();
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_EQ((*nodes)[i].has_value(), i % 3 != 0);
    EXPECT_EQ((*nodes)[i].value_or(Node()).data, i % 3 != 0 ? absl::StrCat(i) : "");
  }
}

TEST_F(SessionTest, IsLostOnceWhenNoServerAnswersForAsLongAsItLives) {
  Told<absl::Status> lost;
  const auto session = Connect({2'000, [&](const absl::Status& why) { lost.Tell(why); }});
  for (int i = 0; i < ensemble().size(); ++i) ensemble().Pause(i);
  // A call that waits meanwhile ends with the session.
  Told<absl::Status> answer;
  std::thread asking([&] { answer.Tell(session->Get("/nothing").status()); });
  const auto why = lost.Await();
  EXPECT_TRUE(answer.Await().has_value());
  asking.join();
  ASSERT_TRUE(why.has_value());
  EXPECT_TRUE(absl::IsUnavailable(*why)) << *why;
  EXPECT_THAT(std::string(why->message()), HasSubstr("could be reached for"));
  EXPECT_TRUE(absl::IsUnavailable(*answer.Await())) << *answer.Await();
  EXPECT_TRUE(absl::IsUnavailable(session->Create("/x", "")));
  for (int i = 0; i < ensemble().size(); ++i) ensemble().Resume(i);
  ensemble().AwaitServing();
  EXPECT_TRUE(absl::IsUnavailable(session->state()));  // Not even when they are back.
  EXPECT_EQ(lost.count(), 1u);
}

TEST_F(SessionTest, LearnsOfItsExpiryWhenItComesBackTooLate) {
  testing::Relay relay(ensemble().server(0));
  Told<absl::Status> lost;
  const auto session =
      ConnectTo(By(relay.address()), {2'000, [&](const absl::Status& why) { lost.Tell(why); }});
  const auto contender = Contender::Stand(session.get(), Info("late"));
  ASSERT_TRUE(contender.ok()) << contender.status();
  const auto other = Connect();
  relay.Stall(true);
  const std::string node = absl::StrCat(kElectionPath, "/", (*contender)->node());
  uint64_t seen = other->news();
  while (other->Exists(node, true)->has_value()) {
    other->AwaitNews(seen);
    seen = other->news();
  }
  relay.Stall(false);
  const auto why = lost.Await();
  ASSERT_TRUE(why.has_value());
  EXPECT_THAT(std::string(why->message()), HasSubstr("expired"));
  EXPECT_TRUE(absl::IsUnavailable((*contender)->AwaitLoss()));
}

TEST_F(SessionTest, GivesUpWaitingWhenAbandoned) {
  testing::Relay relay(ensemble().server(0));
  const auto session = ConnectTo(By(relay.address()));
  relay.Stall(true);
  Told<absl::Status> answer;
  std::thread asking([&] { answer.Tell(session->Get("").status()); });
  session->Abandon();
  EXPECT_TRUE(absl::IsCancelled(*answer.Await()));
  asking.join();
  relay.Stall(false);
}

TEST_F(SessionTest, SaysWhatToLookAtWhenThereIsNoServer) {
  const auto session = Session::Connect({{"127.0.0.1:1"}, "/x"}, {500, nullptr});
  EXPECT_TRUE(absl::IsUnavailable(session.status()));
  EXPECT_THAT(std::string(session.status().message()), HasSubstr("does the ensemble run"));
}

class ElectionTest : public ZooKeeperTest {
 protected:
  struct Candidate {
    std::unique_ptr<Session> session;
    std::unique_ptr<Contender> contender;
    Told<absl::Status> leads;
    std::thread thread;

    ~Candidate() { Leave(); }
    void Leave() {
      if (contender) contender->Withdraw();
      if (thread.joinable()) thread.join();
      contender.reset();
      session.reset();
    }
  };

  std::unique_ptr<Candidate> Stand(const std::string& name) const {
    auto candidate = std::make_unique<Candidate>();
    candidate->session = Connect();
    auto contender = Contender::Stand(candidate->session.get(), Info(name));
    EXPECT_TRUE(contender.ok()) << contender.status();
    candidate->contender = *std::move(contender);
    candidate->thread =
        std::thread([c = candidate.get()] { c->leads.Tell(c->contender->AwaitLead()); });
    return candidate;
  }
};

TEST_F(ElectionTest, ThreeLeadInTheOrderInWhichTheyCame) {
  const auto a = Stand("a");
  const auto b = Stand("b");
  const auto c = Stand("c");
  const auto d = Stand("d");
  EXPECT_TRUE(a->leads.Await()->ok());
  ASSERT_THAT(d->contender->before(), SizeIs(3));
  EXPECT_EQ(d->contender->before()[0].info, Info("a"));
  EXPECT_EQ(d->contender->before()[2].info, Info("c"));
  b->Leave();
  EXPECT_TRUE(absl::IsCancelled(*b->leads.Await()));  // Withdrawn without ever leading.
  EXPECT_EQ(c->leads.count(), 0u);
  a->Leave();
  EXPECT_TRUE(c->leads.Await()->ok());
  EXPECT_EQ(d->leads.count(), 0u);
  c->Leave();
  EXPECT_TRUE(d->leads.Await()->ok());
}

// What a follower was told, by instance.
std::string Name(const std::optional<LeaderInfo>& leader) {
  return leader ? leader->instance : "nobody";
}

TEST_F(ElectionTest, FollowersHearOfEveryLeader) {
  Told<std::string> heard;
  const LeaderWatch watch(address_, [&](auto leader) { heard.Tell(Name(leader)); });
  EXPECT_EQ(heard.Await(1), "nobody");  // There is not even a chroot.
  auto a = Stand("a");
  EXPECT_EQ(heard.Await(2), "a");
  EXPECT_EQ(watch.current(), Info("a"));
  auto b = Stand("b");
  a.reset();
  EXPECT_EQ(heard.Await(3), "b");
  b.reset();
  EXPECT_EQ(heard.Await(4), "nobody");
  EXPECT_FALSE(watch.current().has_value());
}

TEST_F(ElectionTest, AFollowerComesBackByItselfAfterItsSessionWasLost) {
  auto a = Stand("a");
  testing::Relay relay(ensemble().server(0));
  Told<std::string> heard;
  const LeaderWatch watch(
      By(relay.address()), [&](auto leader) { heard.Tell(Name(leader)); }, 1'000);
  EXPECT_TRUE(watch.AwaitFirst(kPatienceMs));
  EXPECT_EQ(heard.Await(1), "a");
  relay.Stall(true);
  auto b = Stand("b");
  a.reset();
  EXPECT_TRUE(b->leads.Await()->ok());
  // By the time that one like it, but longer-lived, is lost, the follower's session is long over.
  Told<absl::Status> lost;
  testing::Relay second(ensemble().server(1));
  const auto measure =
      ConnectTo(By(second.address()), {2'000, [&](const absl::Status& why) { lost.Tell(why); }});
  second.Stall(true);
  EXPECT_TRUE(lost.Await().has_value());
  EXPECT_EQ(watch.current(), Info("a"));  // What it knew is still what it says.
  relay.Stall(false);
  EXPECT_EQ(heard.Await(2), "b");
  EXPECT_EQ(heard.count(), 2u);
}

TEST_F(ElectionTest, AFollowerEndsAlthoughNoServerAnswers) {
  const Time start = BootTimeNow();
  {
    const LeaderWatch watch({{"127.0.0.1:1"}, "/x"}, nullptr, /*session_timeout_ms=*/60'000);
    EXPECT_FALSE(watch.AwaitFirst(/*timeout_ms=*/20));
  }
  EXPECT_LT(BootTimeNow() - start, 30'000);
}

TEST_F(ElectionTest, AContenderWhoseCreationWasNotAnsweredStandsOnce) {
  testing::Relay relay(ensemble().server(0));
  const auto session = ConnectTo(By(relay.address()));
  ASSERT_TRUE(session->MakePath(kElectionPath).ok());
  relay.CutAnswerTo(kContenderPrefix);
  const auto contender = Contender::Stand(session.get(), Info("a"));
  ASSERT_TRUE(contender.ok()) << contender.status();
  EXPECT_TRUE(relay.has_cut());
  EXPECT_THAT(*session->Children(kElectionPath, false), ElementsAre((*contender)->node()));
  EXPECT_TRUE((*contender)->AwaitLead().ok());
}

TEST_F(ElectionTest, WhoeverIsTakenForDeadLosesTheLeadAndHisSuccessorLeads) {
  const auto a = Stand("a");
  const auto b = Stand("b");
  EXPECT_TRUE(a->leads.Await()->ok());
  Contender::Rival rival = b->contender->before().at(0);
  ++rival.created_zxid;
  EXPECT_TRUE(absl::IsFailedPrecondition(b->contender->Remove(rival)));
  EXPECT_TRUE(b->contender->Remove(b->contender->before()[0]).ok());
  EXPECT_TRUE(b->leads.Await()->ok());
  const absl::Status lost = a->contender->AwaitLoss();
  EXPECT_TRUE(absl::IsAborted(lost)) << lost;
  EXPECT_TRUE(b->contender->Remove(b->contender->before()[0]).ok());  // Gone is fine.
}

TEST_F(ElectionTest, WhatIsNoContenderIsPassedOver) {
  const auto session = Connect();
  ASSERT_TRUE(session->MakePath(absl::StrCat(kElectionPath, "/by-hand")).ok());
  const auto a = Stand("a");
  EXPECT_TRUE(a->leads.Await()->ok());
}

}  // namespace
}  // namespace proffer::zk
