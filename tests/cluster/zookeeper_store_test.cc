// The registry on real ZooKeeper servers: what is kept, what is refused, and who is fenced.
#include <glog/logging.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "cluster/zookeeper_fixture.h"
#include "common/base/limits.h"
#include "common/zookeeper/store.h"
#include "master/registry.h"
#include "support/relay.h"

namespace proffer::zk {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::SizeIs;

using Records = std::vector<std::pair<std::string, std::string>>;

// One master's way to the registry: a session and a store of its own.
struct Seat {
  std::unique_ptr<Session> session;
  std::unique_ptr<ZooKeeperStore> store;
};

class ZooKeeperStoreTest : public ZooKeeperTest {
 protected:
  Seat Sit(const std::string& new_cluster_id = "c1") const {
    return SitAt(address_, new_cluster_id);
  }
  static Seat SitAt(const Address& address, const std::string& new_cluster_id = "c1") {
    Seat seat;
    seat.session = ConnectTo(address);
    auto store = ZooKeeperStore::Open(seat.session.get(), new_cluster_id);
    EXPECT_TRUE(store.ok()) << store.status();
    seat.store = *std::move(store);
    return seat;
  }
  // As a master does it, with records that say nothing but a number.
  static int Raise(const Seat& seat) {
    const auto cluster = seat.store->Read("cluster");
    const auto epoch = seat.store->Read("epoch");
    EXPECT_TRUE(cluster.ok() && epoch.ok()) << cluster.status() << epoch.status();
    const int next = epoch->has_value() ? std::stoi(**epoch) + 1 : 1;
    std::vector<Mutation> batch = {{"epoch", absl::StrCat(next)}};
    if (!cluster->has_value()) batch.push_back({"cluster", "c1"});
    const absl::Status raised = seat.store->Write(batch);
    EXPECT_TRUE(raised.ok()) << raised;
    return next;
  }
  // What is there beside cluster and epoch.
  static Records Rest(const Seat& seat) {
    auto records = seat.store->ReadAll();
    EXPECT_TRUE(records.ok()) << records.status();
    std::erase_if(*records,
                  [](const auto& r) { return r.first == "cluster" || r.first == "epoch"; });
    return *std::move(records);
  }
  // `count` records of 100,000 bytes: five fill a multi.
  static std::vector<Mutation> LongBatch(int count) {
    std::vector<Mutation> batch;
    for (int i = 0; i < count; ++i) {
      batch.push_back({absl::StrCat("long/", 1'000 + i), std::string(100'000, 'x')});
    }
    return batch;
  }
};

TEST_F(ZooKeeperStoreTest, KeepsTheLastValueOfEachKeyLikeAnyOtherStore) {
  {
    const Seat seat = Sit();
    EXPECT_EQ(seat.store->cluster_id(), std::nullopt);
    EXPECT_EQ(Raise(seat), 1);
    EXPECT_EQ(seat.store->cluster_id(), "c1");
    const std::string bytes("\0\xff", 2);
    ASSERT_TRUE(seat.store->Write({{"b", "1"}, {"a/x/y", bytes}, {"b", "3"}, {"c", "4"}}).ok());
    ASSERT_TRUE(seat.store->Write({{"c", std::nullopt}, {"never there", std::nullopt}}).ok());
    ASSERT_TRUE(seat.store->Write({{"d", "1"}, {"d", std::nullopt}, {"d", "2"}, {"c", "5"}}).ok());
    ASSERT_TRUE(seat.store->Write({{"c", std::nullopt}}).ok());
    EXPECT_EQ(seat.store->Read("b").value(), "3");
    EXPECT_EQ(seat.store->Read("c").value(), std::nullopt);
    ASSERT_TRUE(seat.store->Write({}).ok());
  }
  const Seat seat = Sit("another");
  EXPECT_EQ(seat.store->cluster_id(), "c1");
  EXPECT_EQ(Raise(seat), 2);
  EXPECT_THAT(Rest(seat),
              ElementsAre(Pair("a/x/y", std::string("\0\xff", 2)), Pair("b", "3"), Pair("d", "2")));
}

TEST_F(ZooKeeperStoreTest, OnlyOneOfTwoRaisesAnEpoch) {
  const Seat first = Sit();
  const Seat second = Sit();
  for (const Seat* seat : {&first, &second}) {
    ASSERT_TRUE(seat->store->Read("cluster").ok());
    ASSERT_TRUE(seat->store->Read("epoch").ok());
  }
  // Both have seen an empty registry.
  EXPECT_TRUE(first.store->Write({{"cluster", "c1"}, {"epoch", "1"}}).ok());
  const absl::Status late = second.store->Write({{"cluster", "c1"}, {"epoch", "1"}});
  EXPECT_TRUE(absl::IsAborted(late)) << late;

  const Seat third = Sit();
  ASSERT_TRUE(third.store->Read("cluster").ok());
  ASSERT_TRUE(third.store->Read("epoch").ok());
  EXPECT_TRUE(first.store->Write({{"epoch", "2"}}).ok());
  const absl::Status stale = third.store->Write({{"epoch", "2"}});
  EXPECT_TRUE(absl::IsAborted(stale)) << stale;
  EXPECT_THAT(std::string(stale.message()), HasSubstr("another master has raised the epoch"));
}

TEST_F(ZooKeeperStoreTest, AFormerLeaderWritesNothingMore) {
  const Seat old = Sit();
  EXPECT_EQ(Raise(old), 1);
  ASSERT_TRUE(old.store->Write({{"a", "1"}}).ok());
  const Seat next = Sit();
  EXPECT_EQ(Raise(next), 2);
  const absl::Status refused = old.store->Write({{"a", "2"}, {"b", "2"}});
  EXPECT_TRUE(absl::IsAborted(refused)) << refused;
  EXPECT_TRUE(absl::IsAborted(old.store->Write({{"c", "2"}})));  // Nor afterwards.
  EXPECT_THAT(Rest(next), ElementsAre(Pair("a", "1")));
  EXPECT_TRUE(next.store->Write({{"a", "3"}}).ok());
}

TEST_F(ZooKeeperStoreTest, AFormerLeaderThatStillWritesDoesNotKeepTheNextFromRaisingTheEpoch) {
  const Seat old = Sit();
  EXPECT_EQ(Raise(old), 1);
  const Seat next = Sit();
  ASSERT_TRUE(next.store->Read("cluster").ok());
  ASSERT_TRUE(next.store->Read("epoch").ok());
  ASSERT_TRUE(old.store->Write({{"a", "1"}}).ok());
  EXPECT_EQ(Raise(next), 2);
  EXPECT_TRUE(next.store->Write({{"b", "1"}}).ok());
  EXPECT_THAT(Rest(next), ElementsAre(Pair("a", "1"), Pair("b", "1")));
}

// A long batch is several multis, sent at once. While they arrive the epoch is raised: what is left
// of them is the beginning, and nothing behind it.
TEST_F(ZooKeeperStoreTest, AnEpochRaisedInTheMiddleOfABatchLeavesABeginningOfIt) {
  const Seat old = Sit();
  EXPECT_EQ(Raise(old), 1);
  const Seat next = Sit();
  ASSERT_TRUE(next.store->Read("cluster").ok());
  const std::string epoch = next.store->Read("epoch")->value();
  Told<absl::Status> written;
  std::thread writing([&] { written.Tell(old.store->Write(LongBatch(200))); });
  // As soon as the first of it is there.
  const std::string first = absl::StrCat(kRegistryPath, "/", NodeName("long/1000"));
  uint64_t seen = next.session->news();
  while (!next.session->Exists(first, /*watch=*/true)->has_value()) {
    next.session->AwaitNews(seen);
    seen = next.session->news();
  }
  ASSERT_TRUE(next.store->Write({{"epoch", epoch}}).ok());
  const absl::Status refused = *written.Await();
  writing.join();
  EXPECT_TRUE(absl::IsAborted(refused)) << refused;
  const Records left = Rest(next);
  LOG(INFO) << left.size() << " of 200 records were written before the epoch was raised";
  EXPECT_LT(left.size(), 200u);
  for (size_t i = 0; i < left.size(); ++i) {
    EXPECT_EQ(left[i].first, absl::StrCat("long/", 1'000 + i));
  }
}

// Not by the fence: a multi of its own fails, those behind it would have been fine.
TEST_F(ZooKeeperStoreTest, WhatFollowsAFailedPartOfABatchIsNotWritten) {
  const Seat seat = Sit();
  Raise(seat);
  ASSERT_TRUE(seat.store->Write({{"a", "1"}}).ok());
  ASSERT_TRUE(seat.session->Delete(absl::StrCat(kRegistryPath, "/a"), -1).ok());
  std::vector<Mutation> batch = LongBatch(30);
  batch.insert(batch.begin() + 7, {"a", "2"});
  const absl::Status failed = seat.store->Write(batch);
  EXPECT_TRUE(absl::IsAborted(failed)) << failed;
  EXPECT_THAT(std::string(failed.message()), HasSubstr("/registry/a"));
  EXPECT_THAT(Rest(Sit()), SizeIs(5));  // One multi before it.
}

TEST_F(ZooKeeperStoreTest, ARecordThatIsTooLongIsNamedAndNothingIsSent) {
  const Seat seat = Sit();
  Raise(seat);
  ASSERT_TRUE(seat.store->Write({{"just right", std::string(limits::kRecordBytes, 'x')}}).ok());
  const absl::Status refused =
      seat.store->Write({{"a", "1"}, {"too/long", std::string(limits::kRecordBytes + 1, 'x')}});
  EXPECT_TRUE(absl::IsInvalidArgument(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("\"too/long\" has 262145 bytes"));
  EXPECT_THAT(Rest(seat), SizeIs(1));
}

TEST_F(ZooKeeperStoreTest, AWriteWhoseAnswerIsLostIsAnErrorAndTheLastOne) {
  testing::Relay relay(ensemble().server(0));
  const Seat seat = SitAt(By(relay.address()));
  Raise(seat);
  relay.CutAnswerTo("the value");
  const absl::Status unknown = seat.store->Write({{"a", "the value"}});
  EXPECT_TRUE(absl::IsUnavailable(unknown)) << unknown;
  EXPECT_THAT(std::string(unknown.message()), HasSubstr("not known"));
  EXPECT_TRUE(relay.has_cut());
  EXPECT_TRUE(absl::IsUnavailable(seat.store->Write({{"b", "1"}})));
  EXPECT_THAT(Rest(Sit()), ElementsAre(Pair("a", "the value")));
}

TEST_F(ZooKeeperStoreTest, ReadsGoOnOverALostConnection) {
  testing::Relay relay(ensemble().server(0));
  const Seat seat = SitAt(By(relay.address()));
  Raise(seat);
  ASSERT_TRUE(seat.store->Write({{"a", "1"}}).ok());
  relay.CutAnswerTo("/registry/a");
  EXPECT_THAT(Rest(seat), ElementsAre(Pair("a", "1")));
  EXPECT_TRUE(relay.has_cut());
}

class DamagedRegistryTest : public ZooKeeperStoreTest {
 protected:
  absl::Status OpenError() {
    const auto session = Connect();
    return ZooKeeperStore::Open(session.get(), "c2").status();
  }
};

TEST_F(DamagedRegistryTest, AnEmptiedRegistryIsNotTakenForANewOne) {
  const Seat seat = Sit();
  Raise(seat);
  ASSERT_TRUE(seat.store->Write({{"a", "1"}}).ok());
  for (const char* name : {"a", "cluster", "epoch"}) {
    ASSERT_TRUE(seat.session->Delete(absl::StrCat(kRegistryPath, "/", name), -1).ok());
  }
  const absl::Status lost = OpenError();
  EXPECT_TRUE(absl::IsDataLoss(lost)) << lost;
  EXPECT_THAT(std::string(lost.message()), HasSubstr("is cluster c1"));
  // Whoever leads notices with the next write.
  const absl::Status refused = seat.store->Write({{"b", "1"}});
  EXPECT_TRUE(absl::IsAborted(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("emptied"));
}

TEST_F(DamagedRegistryTest, ARegistryWithoutItsClusterIsNotServed) {
  const Seat seat = Sit();
  Raise(seat);
  ASSERT_TRUE(seat.session->Delete(absl::StrCat(kClusterPath, "/c1"), -1).ok());
  const absl::Status lost = OpenError();
  EXPECT_TRUE(absl::IsDataLoss(lost)) << lost;
  EXPECT_THAT(std::string(lost.message()), HasSubstr("names no cluster"));
  EXPECT_TRUE(absl::IsAborted(seat.store->Write({{"b", "1"}})));
}

TEST_F(DamagedRegistryTest, TwoClustersInOneChrootAreRefused) {
  const Seat seat = Sit();
  Raise(seat);
  ASSERT_TRUE(seat.session->Create(absl::StrCat(kClusterPath, "/c2"), "").ok());
  const absl::Status lost = OpenError();
  EXPECT_TRUE(absl::IsDataLoss(lost)) << lost;
  EXPECT_THAT(std::string(lost.message()), HasSubstr("c1, c2"));
}

TEST_F(DamagedRegistryTest, ANodeThatIsNoRecordIsNamed) {
  const Seat seat = Sit();
  Raise(seat);
  ASSERT_TRUE(seat.session->Create(absl::StrCat(kRegistryPath, "/by hand"), "").ok());
  const absl::Status lost = seat.store->ReadAll().status();
  EXPECT_TRUE(absl::IsDataLoss(lost)) << lost;
  EXPECT_THAT(std::string(lost.message()), HasSubstr("by hand"));
}

TEST_F(DamagedRegistryTest, AMasterOfAnotherClusterIsRefused) {
  ASSERT_TRUE(master::TakeOver(Sit().store.get(), {"c1"}).ok());
  const Seat seat = Sit("c2");
  const absl::Status refused =
      master::TakeOver(seat.store.get(), {"c2", /*no_other=*/true}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("that of cluster c1, not of c2"));
  // Nothing was raised by that.
  EXPECT_EQ(master::TakeOver(Sit().store.get(), {"c1"})->epoch, 2u);
}

TEST_F(ZooKeeperStoreTest, TenThousandAgentsAreWrittenAndReadBackInSeconds) {
  constexpr int kAgents = 10'000;
  const Seat seat = Sit();
  ASSERT_TRUE(master::TakeOver(seat.store.get(), {"c1"}).ok());
  const Resources resources = Resources::Parse("cpus:32;mem:128GiB;ports:[31000-32000]").value();
  std::vector<Mutation> batch;
  size_t bytes = 0;
  for (int i = 0; i < kAgents; ++i) {
    master::AgentRecord record;
    record.id = model::AgentId(absl::StrCat("A-", 100'000 + i, "-abcdefgh"));
    record.info.resources = resources;
    record.info.facts.hostname = absl::StrCat("machine-", i, ".rack-", i / 40, ".example.com");
    batch.push_back(master::ToMutation(record));
    bytes += batch.back().value->size();
  }
  const Time start = BootTimeNow();
  const absl::Status written = seat.store->Write(batch);
  ASSERT_TRUE(written.ok()) << written;
  const Time middle = BootTimeNow();
  const Seat next = Sit();
  const Time open = BootTimeNow();
  const auto taken = master::TakeOver(next.store.get(), {"c1"});
  const Time end = BootTimeNow();
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_THAT(taken->registry.agents, SizeIs(kAgents));
  EXPECT_EQ(taken->registry.agents.at(model::AgentId("A-107777-abcdefgh")).info.facts.hostname,
            "machine-7777.rack-194.example.com");
  LOG(INFO) << kAgents << " agents (" << bytes / kAgents << " bytes each): written in "
            << middle - start << " ms, taken over in " << end - open << " ms";
  EXPECT_LT(end - start, 30'000);
}

}  // namespace
}  // namespace proffer::zk
