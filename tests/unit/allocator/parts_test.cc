// The small parts that the allocator is made of.
#include <gtest/gtest.h>

#include "allocator/bit_row.h"
#include "allocator/cow.h"
#include "allocator/kinds.h"
#include "allocator/refusals.h"
#include "allocator/role_tree.h"
#include "allocator/share.h"

namespace proffer::allocator {
namespace {

Amounts Cpus(int64_t cpus) {
  Amounts amounts;
  amounts.count[0] = cpus * 1000;
  return amounts;
}

TEST(BitRow, IsClearBeyondItsEnd) {
  BitRow row;
  EXPECT_FALSE(row.Test(1000));
  row.Clear(1000);
  EXPECT_EQ(row.words(), 0u);
  row.Set(64);
  EXPECT_TRUE(row.Test(64));
  EXPECT_FALSE(row.Test(0));
  EXPECT_EQ(row.Count(), 1u);
  row.Clear(64);
  EXPECT_TRUE(row.None());
}

TEST(BitRow, GoesThroughItsBitsInOrder) {
  BitRow row;
  for (uint32_t i : {200u, 3u, 63u, 64u}) row.Set(i);
  std::vector<uint32_t> seen;
  row.ForEach([&](uint32_t i) { seen.push_back(i); });
  EXPECT_EQ(seen, (std::vector<uint32_t>{3, 63, 64, 200}));
}

TEST(Cow, IsCopiedOnlyWhenChangedWhileShared) {
  Cow<std::vector<int>> a;
  EXPECT_TRUE(a->empty());
  a.Own().push_back(1);
  const std::vector<int>* const place = &*a;
  a.Own().push_back(2);
  EXPECT_EQ(&*a, place) << "copied although nobody shares it";
  Cow<std::vector<int>> b = a;
  EXPECT_EQ(&*b, place);
  b.Own().push_back(3);
  EXPECT_EQ(a->size(), 2u);
  EXPECT_EQ(b->size(), 3u);
  a = b;
  EXPECT_EQ(&*a, &*b);
  b.Reset();
  EXPECT_TRUE(b->empty());
  EXPECT_EQ(a->size(), 3u);
}

TEST(Kinds, InternAllOrNothing) {
  Kinds kinds;
  Quantities many;
  for (int i = 0; i < limits::kResourceKinds - 5; ++i) many.Set("k" + std::to_string(i), 1);
  Quantities one_more = many;
  one_more.Set("straw", 1);
  EXPECT_EQ(kinds.Intern(one_more).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(kinds.size(), 5);
  ASSERT_TRUE(kinds.Intern(many).ok());
  EXPECT_EQ(kinds.size(), limits::kResourceKinds);
  EXPECT_EQ(kinds.ToQuantities(*kinds.Intern(many)), many);
  EXPECT_FALSE(kinds.MarkItems("straw").ok());
}

TEST(Share, IsExactForTheLargestAmounts) {
  Amounts held;
  Amounts total;
  total.count[1] = INT64_MAX;
  held.count[1] = INT64_MAX;
  EXPECT_EQ(DominantShare(held, total, 2u), kShareUnit);
  held.count[1] = INT64_MAX / 3;
  EXPECT_EQ(DominantShare(held, total, 2u), kShareUnit / 3);
  held.count[0] = 5;  // Of a kind that nobody has.
  EXPECT_EQ(DominantShare(held, total, 3u), kShareUnit / 3);
  EXPECT_EQ(DominantShare(held, total, 1u), 0) << "a kind that does not count";
}

TEST(RoleTree, ComparesAtTheLowestCommonAncestor) {
  RoleTree roles;
  const RoleIndex eng = roles.Intern("eng");
  const RoleIndex prod = roles.Intern("eng/prod");
  const RoleIndex web = roles.Intern("eng/prod/web");
  const RoleIndex ops = roles.Intern("ops");
  roles.Recompute(Cpus(10), 1u);
  EXPECT_LT(roles.Compare(prod, ops), 0) << "by name";
  EXPECT_LT(roles.Compare(eng, prod), 0) << "the own clients first";
  EXPECT_GT(roles.Compare(web, eng), 0);
  EXPECT_EQ(roles.Compare(web, web), 0);
  roles.AddHeld(web, Cpus(2));
  EXPECT_GT(roles.Compare(eng, ops), 0) << "eng counts what is held below it";
  roles.AddHeld(ops, Cpus(3));
  EXPECT_LT(roles.Compare(prod, ops), 0);
  roles.AddHeld(eng, Cpus(1));
  EXPECT_LT(roles.Compare(eng, prod), 0) << "1 cpu of its own clients against 2 of eng/prod";
  EXPECT_LT(roles.Compare(eng, ops), 0) << "the same share, by name";
}

TEST(RoleTree, FairSharesAreThoseOfTheHungry) {
  RoleTree roles;
  const RoleIndex eng = roles.Intern("eng");
  const RoleIndex dev = roles.Intern("eng/dev");
  const RoleIndex ops = roles.Intern("ops");
  roles.SetWeight(eng, 3000);
  roles.AddHungry(dev, 1);
  EXPECT_EQ(roles.FairShare(dev), kShareUnit);
  roles.AddHungry(ops, 1);
  EXPECT_EQ(roles.FairShare(dev), kShareUnit / 4 * 3);
  EXPECT_EQ(roles.FairShare(ops), kShareUnit / 4);
  roles.AddHungry(eng, 1);
  EXPECT_EQ(roles.FairShare(eng), kShareUnit / 8 * 3);
  roles.AddHungry(ops, -1);
  EXPECT_EQ(roles.FairShare(dev), kShareUnit / 2);
}

TEST(Refusals, EndToTheMillisecondHoweverManyReplacedThem) {
  Refusals refusals;
  const AgentIndex agent(3);
  const ClientIndex client(5);
  std::vector<Refusals::Pair> ended;
  for (int64_t ms : {1000, 700, 1001, 900}) {
    refusals.Refuse(agent, client, Cpus(ms), Time{ms}, Cpus(1));
    refusals.CheckInvariants();
  }
  EXPECT_EQ(refusals.live(), 1);
  EXPECT_EQ(*refusals.Find(agent, client, Time{899}), Cpus(900));
  EXPECT_EQ(refusals.Find(agent, client, Time{900}), nullptr);
  refusals.Expire(Time{899}, &ended);
  EXPECT_TRUE(ended.empty());
  EXPECT_EQ(refusals.NextDeadline(), Time{900});
  refusals.Expire(Time{900}, &ended);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].agent, agent);
  EXPECT_EQ(ended[0].client, client);
  refusals.Expire(Time{5000}, &ended);
  EXPECT_EQ(ended.size(), 1u);
  EXPECT_TRUE(refusals.NextDeadline().IsNever());
  EXPECT_FALSE(refusals.forbidden_agents(client).Test(3));
  refusals.CheckInvariants();
}

TEST(Refusals, ForbidEverythingExactlyWhileTheyContainWhatIsFree) {
  Refusals refusals;
  const AgentIndex agent(0);
  const ClientIndex small(0);
  const ClientIndex large(70);
  refusals.Refuse(agent, small, Cpus(1), Time{10}, Cpus(2));
  refusals.Refuse(agent, large, Cpus(2), Time{10}, Cpus(2));
  EXPECT_FALSE(refusals.forbidden_clients(agent).Test(0));
  EXPECT_TRUE(refusals.forbidden_clients(agent).Test(70));
  refusals.Reassess(agent, Cpus(1));
  EXPECT_TRUE(refusals.forbidden_clients(agent).Test(0));
  EXPECT_TRUE(refusals.forbidden_agents(small).Test(0));
  refusals.Reassess(agent, Cpus(3));
  EXPECT_TRUE(refusals.forbidden_clients(agent).None());
  EXPECT_TRUE(refusals.forbidden_agents(large).None());
  refusals.CheckInvariants();
}

TEST(Refusals, DoNotPileUpWhenTheyAreVoidedAndRepeated) {
  Refusals refusals;
  const AgentIndex agent(0);
  const ClientIndex client(0);
  for (int64_t i = 0; i < 100000; ++i) {
    refusals.Refuse(agent, client, Cpus(1), Time{3600000 + i}, Cpus(1));
    refusals.ForgetClient(client);
  }
  EXPECT_EQ(refusals.live(), 0);
  EXPECT_LT(refusals.CalendarEntries(), 5000);
  refusals.CheckInvariants();
}

TEST(Refusals, OfACopyAreItsOwn) {
  Refusals refusals;
  const AgentIndex agent(0);
  refusals.Refuse(agent, ClientIndex(0), Cpus(1), Time{1000}, Cpus(1));
  Refusals copy = refusals;
  copy.Refuse(agent, ClientIndex(1), Cpus(1), Time{1000}, Cpus(1));
  std::vector<Refusals::Pair> ended;
  copy.Expire(Time{1000}, &ended);
  EXPECT_EQ(ended.size(), 2u);
  EXPECT_EQ(refusals.live(), 1);
  EXPECT_NE(refusals.Find(agent, ClientIndex(0), Time{0}), nullptr);
  EXPECT_EQ(refusals.Find(agent, ClientIndex(1), Time{0}), nullptr);
  EXPECT_EQ(refusals.NextDeadline(), Time{1000});
  refusals.CheckInvariants();
  copy.CheckInvariants();
}

}  // namespace
}  // namespace proffer::allocator
