// The mailbox: bounded, except for what must never be lost.
#include "common/base/mailbox.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace proffer {
namespace {

using Item = std::unique_ptr<int>;

TEST(MailboxTest, GivesEverythingInOrderAtOnce) {
  Mailbox<Item> box(10);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(box.Push(std::make_unique<int>(i)));
  std::vector<Item> out;
  out.push_back(nullptr);  // Cleared first.
  ASSERT_TRUE(box.TakeAll(0, &out));
  ASSERT_EQ(out.size(), 3u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(*out[i], i);
  EXPECT_EQ(box.size(), 0u);
}

TEST(MailboxTest, RefusesWhenFullAndLeavesTheItemToItsSender) {
  Mailbox<Item> box(1);
  ASSERT_TRUE(box.Push(std::make_unique<int>(1)));
  Item second = std::make_unique<int>(2);
  EXPECT_FALSE(box.Push(std::move(second)));
  ASSERT_NE(second, nullptr);  // NOLINT: that it was not moved is what is tested.
  EXPECT_EQ(*second, 2);
}

TEST(MailboxTest, TakesUrgentItemsEvenWhenFull) {
  Mailbox<Item> box(1);
  ASSERT_TRUE(box.Push(std::make_unique<int>(1)));
  EXPECT_TRUE(box.PushUrgent(std::make_unique<int>(2)));
  EXPECT_EQ(box.size(), 2u);
}

TEST(MailboxTest, AfterCloseWhatIsInsideCanStillBeTaken) {
  Mailbox<Item> box(10);
  ASSERT_TRUE(box.Push(std::make_unique<int>(1)));
  box.Close();
  EXPECT_FALSE(box.Push(std::make_unique<int>(2)));
  EXPECT_FALSE(box.PushUrgent(std::make_unique<int>(2)));
  std::vector<Item> out;
  EXPECT_TRUE(box.TakeAll(1'000'000, &out));
  EXPECT_EQ(out.size(), 1u);
  EXPECT_FALSE(box.TakeAll(1'000'000, &out));
  EXPECT_TRUE(out.empty());
}

TEST(MailboxTest, CloseWakesWhoeverWaits) {
  Mailbox<Item> box(10);
  std::thread closer([&] { box.Close(); });
  std::vector<Item> out;
  EXPECT_FALSE(box.TakeAll(60'000, &out));
  closer.join();
}

TEST(MailboxTest, LosesNothingOfManySenders) {
  constexpr int kSenders = 4;
  constexpr int kEach = 5'000;
  Mailbox<int> box(64);
  std::vector<std::thread> senders;
  for (int s = 0; s < kSenders; ++s) {
    senders.emplace_back([&box, s] {
      for (int i = 0; i < kEach; ++i) {
        while (!box.Push(s * kEach + i)) std::this_thread::yield();
      }
    });
  }
  std::vector<int> next(kSenders, 0);  // Of one sender in order.
  std::vector<int> out;
  int taken = 0;
  while (taken < kSenders * kEach) {
    ASSERT_TRUE(box.TakeAll(60'000, &out));
    for (int item : out) {
      ASSERT_EQ(item % kEach, next[item / kEach]++);
      ++taken;
    }
    ASSERT_LE(out.size(), 64u);
  }
  for (std::thread& sender : senders) sender.join();
}

}  // namespace
}  // namespace proffer
