// Two frameworks with full queues of equal tasks, weights 1 and 2: the shares are 1:2 within one
// task, with 1, 2, 3 and 5 agents.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "proffer/framework.h"
#include "proffer/units.h"
#include "support/mini_cluster.h"

namespace proffer {
namespace {

using testing::MiniCluster;

struct Counts {
  int light = 0;
  int heavy = 0;
};

Counts Running(const std::vector<v1::Object>& tasks) {
  Counts counts;
  for (const v1::Object& object : tasks) {
    const v1::TaskState state = object.task().state();
    if (state != v1::RUNNING && state != v1::STAGING) continue;
    (object.task().role() == "light" ? counts.light : counts.heavy) += 1;
  }
  return counts;
}

class FairnessTest : public ::testing::TestWithParam<int> {};

TEST_P(FairnessTest, WeightsOneAndTwoGiveOneToTwoWithinOneTask) {
  const int agents = GetParam();
  const int slots = 6 * agents;
  MiniCluster cluster({.agents = agents, .resources = "cpus:6;mem:4GiB"});
  grpc::ClientContext context;
  v1::SetRoleWeightRequest weight;
  v1::SetRoleWeightResponse response;
  weight.set_role("heavy");
  weight.set_weight_thousandths(2000);
  ASSERT_TRUE(cluster.stub().SetRoleWeight(&context, weight, &response).ok());

  std::vector<std::unique_ptr<Framework>> frameworks;
  for (const std::string role : {"light", "heavy"}) {
    auto framework = Framework::Start({.name = role, .master = cluster.address(), .roles = {role}});
    ASSERT_TRUE(framework.ok()) << framework.status();
    frameworks.push_back(*std::move(framework));
    for (int i = 0; i < 40 * agents; ++i) {
      // Ends of every length, so that slots become free one at a time.
      frameworks.back()->Submit(
          Task{absl::StrCat("t", i)}
              .Command(absl::StrCat("exec sleep ", (200 * agents + 37 * (i % 9)) / 1000.0))
              .Cpus(1)
              .Mem(8_MiB));
    }
  }
  // The first round may belong to whoever came first. After it: looked at again and again while
  // both queues are full, whenever every slot is taken.
  int looked = 0;
  cluster.WaitUntil(v1::TASKS, [&](const std::vector<v1::Object>& tasks) {
    const Counts counts = Running(tasks);
    const int ended =
        static_cast<int>(std::count_if(tasks.begin(), tasks.end(), [](const v1::Object& o) {
          return o.task().state() == v1::FINISHED;
        }));
    // A slot or so is always just changing hands.
    const int taken = counts.light + counts.heavy;
    if (ended < 2 * slots || taken < slots - 1) return false;
    EXPECT_NEAR(counts.light, taken / 3.0, 1.0) << "of " << taken << ", heavy has " << counts.heavy;
    return ++looked >= 5;
  });
}

INSTANTIATE_TEST_SUITE_P(Agents, FairnessTest, ::testing::Values(1, 2, 3, 5));

}  // namespace
}  // namespace proffer
