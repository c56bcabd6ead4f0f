// Places for connections: half of them for whoever comes, the rest for those who hold few.
#include "common/rpc/connection_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"

namespace proffer::rpc {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Long enough after the last look for another one.
constexpr Time kLater{1'000'000};
constexpr size_t kMost = 4 * limits::kConnectionsPerPeer;

class ConnectionTableTest : public ::testing::Test {
 protected:
  ~ConnectionTableTest() override {
    for (const int fd : open_) close(fd);
  }
  // Any descriptor will do: the table only asks whether it is still the same.
  std::string Connect(const std::string& peer) {
    open_.push_back(eventfd(0, EFD_CLOEXEC));
    const std::string why_not = table_.Take(open_.back(), {peer, NameOf(open_.back())}, now_);
    if (!why_not.empty()) {
      close(open_.back());
      open_.pop_back();
    }
    return why_not;
  }
  static std::string NameOf(int fd) { return absl::StrCat("ipv4:127.0.0.1:", fd); }
  int Crowd(const std::string& peer, size_t wanted) {
    int taken = 0;
    for (size_t i = 0; i < wanted; ++i) taken += Connect(peer).empty() ? 1 : 0;
    return taken;
  }
  void Hangup(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      close(open_.back());
      open_.pop_back();
    }
  }

  static constexpr Allowance::Rate kMaking = {5 * kMost, 10};
  ConnectionTable table_{{kMost, limits::kConnectionsPerPeer, kMaking}};
  Time now_{1'000};
  std::vector<int> open_;
};

TEST_F(ConnectionTableTest, OnePeerTakesHalfAndOthersHaveTheRest) {
  EXPECT_EQ(Crowd("greedy", kMost), static_cast<int>(kMost / 2));
  EXPECT_THAT(Connect("greedy"), AllOf(HasSubstr("greedy holds"), HasSubstr("use one connection")));
  EXPECT_EQ(Crowd("modest", limits::kConnectionsPerPeer + 10),
            static_cast<int>(limits::kConnectionsPerPeer));
  EXPECT_EQ(Connect("another"), "");
}

TEST_F(ConnectionTableTest, WithAllPlacesTakenNobodyIsAndTheSentenceSaysWhatToDo) {
  for (int i = 0; i < 8; ++i) Crowd(std::string(1, static_cast<char>('a' + i)), kMost);
  EXPECT_EQ(table_.CountOpen(kLater), kMost);
  EXPECT_THAT(Connect("late"),
              AllOf(HasSubstr("places for connections"), HasSubstr("raise --max_connections")));
}

TEST_F(ConnectionTableTest, PlacesOfThoseWhoHungUpAreGivenAgain) {
  Crowd("greedy", kMost);
  EXPECT_NE(Connect("greedy"), "");
  Hangup(100);
  now_ = now_ + 100;  // All are looked at so often.
  EXPECT_EQ(Connect("greedy"), "");
}

// Places are given again without anybody being refused.
TEST_F(ConnectionTableTest, ADescriptorThatIsUsedAgainIsOneConnection) {
  for (size_t i = 0; i < 3 * kMost; ++i) {
    EXPECT_EQ(Connect("quick"), "") << i;
    Hangup(1);
  }
  EXPECT_EQ(table_.CountOpen(kLater), 0u);
}

TEST_F(ConnectionTableTest, WhoeverConnectsAgainAndAgainIsPacedAndOthersAreNot) {
  for (int64_t i = 0; i < kMaking.at_once; ++i) {
    ASSERT_EQ(Connect("quick"), "") << i;
    Hangup(1);
  }
  EXPECT_THAT(Connect("quick"), AllOf(HasSubstr("quick makes more than 10 connections a second"),
                                      HasSubstr("--connects_of_peer")));
  EXPECT_EQ(Connect("another"), "");
  now_ = now_ + 100;  // One tenth of a second: one more.
  EXPECT_EQ(Connect("quick"), "");
  EXPECT_NE(Connect("quick"), "");
}

TEST_F(ConnectionTableTest, AStormEndsItsConnectionAndItsPeerMayMakeFewer) {
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  open_ = {pair[1]};
  ASSERT_EQ(table_.Take(pair[0], {"stormy", NameOf(pair[0])}, now_), "");
  ASSERT_EQ(Connect("another"), "");
  EXPECT_FALSE(table_.HangUpOnStorm("ipv4:127.0.0.1:of-another-server", now_));
  EXPECT_TRUE(table_.HangUpOnStorm(NameOf(pair[0]), now_));
  char byte = 0;
  EXPECT_EQ(read(pair[1], &byte, 1), 0);  // The end.
  EXPECT_FALSE(table_.HangUpOnStorm(NameOf(pair[0]), now_));
  close(pair[0]);
  int made = 0;
  for (; Connect("stormy").empty() && made < kMaking.at_once; ++made) Hangup(1);
  EXPECT_EQ(made, kMaking.at_once - 1 - 100);
}

// The descriptor is another connection's by now.
TEST_F(ConnectionTableTest, AStormThatIsOverHurtsNobodyElse) {
  open_.push_back(eventfd(0, EFD_CLOEXEC));
  const int fd = open_.back();
  ASSERT_EQ(table_.Take(fd, {"stormy", "first"}, now_), "");
  Hangup(1);
  open_.push_back(eventfd(0, EFD_CLOEXEC));
  ASSERT_EQ(open_.back(), fd);
  ASSERT_EQ(table_.Take(fd, {"another", "second"}, now_), "");
  EXPECT_FALSE(table_.HangUpOnStorm("first", now_));
  EXPECT_EQ(Crowd("stormy", 10), 10);
}

}  // namespace
}  // namespace proffer::rpc
