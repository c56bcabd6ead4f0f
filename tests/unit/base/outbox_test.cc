// The outbox: "decide inside, speak when durable".
#include "common/base/outbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/base/prng.h"

namespace proffer {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(OutboxTest, WhatDependsOnNothingMayBeSaidAtOnce) {
  Outbox<int, std::string> outbox;
  outbox.Add(0, 1, "hello");
  EXPECT_THAT(outbox.TakeReady(), ElementsAre(Pair(1, "hello")));
  EXPECT_TRUE(outbox.empty());
}

TEST(OutboxTest, HoldsBackUntilTheRecordIsDurable) {
  Outbox<int, std::string> outbox;
  outbox.Add(2, 1, "admitted");
  outbox.Durable(1);
  EXPECT_THAT(outbox.TakeReady(), IsEmpty());
  EXPECT_FALSE(outbox.empty());
  outbox.Durable(2);
  EXPECT_THAT(outbox.TakeReady(), ElementsAre(Pair(1, "admitted")));
}

TEST(OutboxTest, ToOnePeerNothingOvertakes) {
  Outbox<int, std::string> outbox;
  outbox.Add(5, 1, "first");
  outbox.Add(0, 1, "second");
  outbox.Add(3, 1, "third");
  outbox.Add(0, 2, "other peer");
  EXPECT_THAT(outbox.TakeReady(), ElementsAre(Pair(2, "other peer")));
  outbox.Durable(4);
  EXPECT_THAT(outbox.TakeReady(), IsEmpty());
  outbox.Durable(5);
  EXPECT_THAT(outbox.TakeReady(),
              ElementsAre(Pair(1, "first"), Pair(1, "second"), Pair(1, "third")));
}

TEST(OutboxTest, WhatWaitsForSomethingDurableAlreadyIsReady) {
  Outbox<int, std::string> outbox;
  outbox.Durable(7);
  outbox.Durable(3);  // Late news changes nothing.
  EXPECT_EQ(outbox.durable_seq(), 7u);
  outbox.Add(7, 1, "now");
  EXPECT_THAT(outbox.TakeReady(), ElementsAre(Pair(1, "now")));
}

TEST(OutboxTest, RandomTrafficIsNeverEarlyNeverReorderedNeverLost) {
  Prng prng(7);
  Outbox<int, std::pair<uint64_t, int>> outbox;  // What it waits for, number of the peer's item.
  std::map<int, int> added;
  std::map<int, int> said;
  uint64_t written = 0;
  uint64_t durable = 0;
  const auto take = [&] {
    for (const auto& [peer, item] : outbox.TakeReady()) {
      ASSERT_LE(item.first, durable);
      ASSERT_EQ(item.second, said[peer]++);
    }
  };
  for (int step = 0; step < 20'000; ++step) {
    if (prng.Chance(1, 3)) ++written;
    if (prng.Chance(1, 4)) {
      durable = static_cast<uint64_t>(prng.Between(durable, written));
      outbox.Durable(durable);
    }
    const int peer = static_cast<int>(prng.Below(5));
    const uint64_t after = prng.Chance(1, 2) ? 0 : prng.Below(written + 1);
    outbox.Add(after, peer, {after, added[peer]++});
    take();
  }
  durable = written;
  outbox.Durable(durable);
  take();
  EXPECT_EQ(added, said);
  EXPECT_TRUE(outbox.empty());
}

}  // namespace
}  // namespace proffer
