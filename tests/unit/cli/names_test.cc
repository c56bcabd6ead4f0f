// Which object a name means.
#include "cli/names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace proffer::cli {
namespace {

using ::testing::HasSubstr;

v1::Object MakeTask(const std::string& framework, const std::string& id, v1::TaskState state,
                    uint64_t attempt) {
  v1::Object object;
  v1::TaskView* task = object.mutable_task();
  task->set_framework_id("F-" + framework);
  task->set_framework_name(framework);
  task->set_task_id(id);
  task->set_name(id);
  task->set_state(state);
  task->mutable_attempt()->set_epoch(1);
  task->mutable_attempt()->set_n(attempt);
  return object;
}

v1::Object MakeAgent(const std::string& id, const std::string& hostname, v1::AgentState state) {
  v1::Object object;
  object.mutable_agent()->set_agent_id(id);
  object.mutable_agent()->set_hostname(hostname);
  object.mutable_agent()->set_state(state);
  return object;
}

TEST(ResolveTest, AWholeNameIsMeantBeforeABeginning) {
  const auto found = Resolve(
      {MakeTask("f", "web", v1::RUNNING, 1), MakeTask("f", "web.1", v1::RUNNING, 2)}, "web");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->task().task_id(), "web");
}

TEST(ResolveTest, ABeginningThatOnlyOneHasIsEnough) {
  const auto found =
      Resolve({MakeAgent("A-1", "a1", v1::CONNECTED), MakeAgent("A-2", "b1", v1::CONNECTED)}, "b");
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->agent().agent_id(), "A-2");
}

TEST(ResolveTest, SeveralAreListed) {
  const auto found = Resolve(
      {MakeTask("f", "web.1", v1::RUNNING, 1), MakeTask("f", "web.2", v1::RUNNING, 2)}, "web");
  EXPECT_EQ(found.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(found.status().message()), HasSubstr("task web.1 of framework f"));
  EXPECT_THAT(std::string(found.status().message()), HasSubstr("task web.2 of framework f"));
}

TEST(ResolveTest, OfTheAttemptsOfATaskTheNewestThatLivesCounts) {
  auto found = Resolve({MakeTask("f", "t", v1::FAILED, 9), MakeTask("f", "t", v1::RUNNING, 5),
                        MakeTask("f", "t", v1::FAILED, 3)},
                       "t");
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->task().attempt().n(), 5);
  found = Resolve({MakeTask("f", "t", v1::FAILED, 3), MakeTask("f", "t", v1::FAILED, 9)}, "t");
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->task().attempt().n(), 9);
}

TEST(ResolveTest, TasksOfOneIdAreToldApartByTheirFramework) {
  const std::vector<v1::Object> tasks = {MakeTask("f", "t", v1::RUNNING, 1),
                                         MakeTask("g", "t", v1::RUNNING, 2)};
  EXPECT_EQ(Resolve(tasks, "t").status().code(), absl::StatusCode::kFailedPrecondition);
  const auto found = Resolve(tasks, "g/t");
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->task().framework_id(), "F-g");
}

TEST(ResolveTest, OfAgentsOfOneNameTheOneThatIsNotGoneIsMeant) {
  const auto found = Resolve(
      {MakeAgent("A-1", "host", v1::AGENT_GONE_STATE), MakeAgent("A-2", "host", v1::CONNECTED)},
      "host");
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->agent().agent_id(), "A-2");
}

TEST(ResolveTest, SaysWhatIsNearestToATypo) {
  const auto found = Resolve({MakeTask("f", "worker", v1::RUNNING, 1)}, "wokrer");
  EXPECT_EQ(found.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(found.status().message()), HasSubstr("did you mean \"worker\"?"));
}

}  // namespace
}  // namespace proffer::cli
