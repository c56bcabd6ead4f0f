// The take-over of a registry: in which order, and what is refused.
#include "master/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "common/fs/store_memory.h"

namespace proffer::master {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

// Does something just before the epoch is raised: the last moment of a former leader.
class LateStore final : public Store {
 public:
  explicit LateStore(MemoryStore* store) : store_(store) {}
  std::function<absl::Status()> before_raising = [] { return absl::OkStatus(); };

  absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ReadAll() override {
    return store_->ReadAll();
  }
  absl::StatusOr<std::optional<std::string>> Read(const std::string& key) override {
    return store_->Read(key);
  }
  absl::Status Write(const std::vector<Mutation>& batch) override {
    if (absl::Status status = before_raising(); !status.ok()) return status;
    return store_->Write(batch);
  }

 private:
  MemoryStore* const store_;
};

class TakeOverTest : public ::testing::Test {
 protected:
  void Begin() { ASSERT_TRUE(TakeOver(&memory_, {"c1"}).ok()); }
  absl::Status Refusal(ClusterChoice choice = {"c1"}) {
    return TakeOver(&memory_, choice).status();
  }

  MemoryStore memory_;
  LateStore store_{&memory_};
};

TEST_F(TakeOverTest, WhatTheFormerLeaderWroteLastIsRead) {
  Begin();
  store_.before_raising = [this] {
    return memory_.Write({ToMutation(AgentRecord{model::AgentId("A-1")})});
  };
  const auto taken = TakeOver(&store_, {"c1"});
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_EQ(taken->epoch, 2u);
  EXPECT_THAT(taken->registry.agents, SizeIs(1));
}

TEST_F(TakeOverTest, EndsWhenTheEpochCannotBeRaised) {
  Begin();
  store_.before_raising = [] { return absl::AbortedError("another one leads"); };
  const absl::Status refused = TakeOver(&store_, {"c1"}).status();
  EXPECT_TRUE(absl::IsAborted(refused)) << refused;
  EXPECT_EQ(TakeOver(&memory_, {"c1"})->epoch, 2u);
}

TEST_F(TakeOverTest, ARegistryThatLacksItsFirstRecordsIsNotTakenForANewOne) {
  Begin();
  ASSERT_TRUE(memory_.Write({ToMutation(WeightRecord{"web", 2000})}).ok());
  const auto cluster = memory_.Read("cluster");
  ASSERT_TRUE(memory_.Write({{"cluster", std::nullopt}}).ok());
  EXPECT_TRUE(absl::IsDataLoss(Refusal())) << Refusal();
  EXPECT_THAT(std::string(Refusal().message()), HasSubstr("no cluster id and an epoch"));
  ASSERT_TRUE(memory_.Write({{"epoch", std::nullopt}}).ok());
  EXPECT_TRUE(absl::IsDataLoss(Refusal())) << Refusal();
  EXPECT_THAT(std::string(Refusal().message()), HasSubstr("neither a cluster id nor an epoch"));
  ASSERT_TRUE(memory_.Write({{"cluster", *cluster}}).ok());
  EXPECT_THAT(std::string(Refusal().message()), HasSubstr("a cluster id and no epoch"));
}

TEST_F(TakeOverTest, AnotherClusterIsRefusedOnlyWhenOneWasNamed) {
  Begin();
  EXPECT_TRUE(absl::IsFailedPrecondition(Refusal({"c2", /*no_other=*/true})));
  const auto taken = TakeOver(&memory_, {"c2"});
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_EQ(taken->cluster_id, "c1");
  EXPECT_EQ(taken->epoch, 2u);
}

}  // namespace
}  // namespace proffer::master
