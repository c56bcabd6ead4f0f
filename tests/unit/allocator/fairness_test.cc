// How closely grants follow weights, whatever the number of agents and however things come free.
#include <gtest/gtest.h>

#include <cstdlib>

#include "allocator/allocator.h"
#include "common/base/prng.h"

namespace proffer::allocator {
namespace {

constexpr FrameworkIndex kLight(0);
constexpr FrameworkIndex kHeavy(1);
constexpr FrameworkIndex kOld(2);

Amounts OneTask() {
  Amounts task;
  task.count[0] = 1000;
  task.count[1] = int64_t{1} << 30;
  return task;
}

std::vector<Portion> Unreserved(Amounts amounts) { return {Portion{kUnreserved, amounts}}; }

// Agents with 7 places each; two roles of weights 1 and 2 that want as many tasks as they can get.
class Weights : public ::testing::TestWithParam<int> {
 protected:
  Weights() : allocator_(Options()) {
    light_ = allocator_.InternRole("light");
    heavy_ = allocator_.InternRole("heavy");
    old_ = allocator_.InternRole("old");
    allocator_.SetWeight(light_, 500);
    allocator_.SetWeight(heavy_, 1000);
    for (int a = 0; a < GetParam(); ++a) {
      Amounts total;
      for (int i = 0; i < 7; ++i) total += OneTask();
      allocator_.AddAgent(AgentIndex(static_cast<uint32_t>(a)), AgentFacts(), Unreserved(total));
    }
    places_ = 7 * GetParam();
    Add(kLight, light_);
    Add(kHeavy, heavy_);
  }

  void Add(FrameworkIndex framework, RoleIndex role) {
    const std::vector<RoleIndex> roles{role};
    allocator_.AddFramework(framework, roles);
    Demand demand;
    demand.role = role;
    demand.shape = OneTask();
    demand.count = 1000000;
    allocator_.SetDemand(framework, true, {demand});
  }

  int64_t Tasks(FrameworkIndex framework, RoleIndex role) {
    return allocator_.Held(framework, role).count[0] / 1000;
  }

  void Allocate() {
    std::vector<Grant> grants;
    allocator_.Allocate(Time{1}, &grants);
    allocator_.CheckInvariants();
    for (const Grant& grant : grants) {
      allocator_.GrantClosed(grant.framework);
      const int64_t tasks = grant.portions[0].amounts.count[0] / 1000;
      for (int64_t i = 0; i < tasks; ++i) running_.push_back(grant);
    }
  }

  void ExpectOneToTwo() {
    const int64_t light = Tasks(kLight, light_);
    const int64_t heavy = Tasks(kHeavy, heavy_);
    EXPECT_LE(std::abs(2 * light - heavy), 2) << light << " to " << heavy;
  }

  Allocator allocator_;
  RoleIndex light_;
  RoleIndex heavy_;
  RoleIndex old_;
  int64_t places_ = 0;
  std::vector<Grant> running_;  // One for each task.
};

TEST_P(Weights, AreMetWithinOneTaskWhenEverythingIsFreeAtOnce) {
  Allocate();
  EXPECT_EQ(Tasks(kLight, light_) + Tasks(kHeavy, heavy_), places_);
  ExpectOneToTwo();
}

TEST_P(Weights, AreMetWithinOneTaskWhenTasksEndOneByOne) {
  const std::vector<RoleIndex> roles{old_};
  allocator_.AddFramework(kOld, roles);
  allocator_.SetDemand(kOld, true, {});
  std::vector<AgentIndex> places;
  for (int64_t i = 0; i < places_; ++i) {
    places.emplace_back(static_cast<uint32_t>(i % GetParam()));
    allocator_.Hold(kOld, old_, places.back(), Unreserved(OneTask()));
  }
  Allocate();
  EXPECT_TRUE(running_.empty());

  Prng prng(7);
  while (!places.empty()) {
    const size_t i = prng.Below(places.size());
    allocator_.Release(kOld, old_, places[i], Unreserved(OneTask()));
    places.erase(places.begin() + static_cast<long>(i));
    Allocate();
    ExpectOneToTwo();
  }
  EXPECT_EQ(Tasks(kLight, light_) + Tasks(kHeavy, heavy_), places_);

  // And stay so, whatever ends.
  for (int step = 0; step < 500; ++step) {
    const size_t i = prng.Below(running_.size());
    const Grant task = running_[i];
    running_.erase(running_.begin() + static_cast<long>(i));
    allocator_.Release(task.framework, task.role, task.agent, Unreserved(OneTask()));
    Allocate();
    ExpectOneToTwo();
  }
}

INSTANTIATE_TEST_SUITE_P(Agents, Weights, ::testing::Values(1, 2, 3, 5));

}  // namespace
}  // namespace proffer::allocator
