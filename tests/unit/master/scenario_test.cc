// The scenarios of tests/data/master.
#include "support/scenario.h"

#include <gtest/gtest.h>

#include <memory>

#include "unit/master/stage.h"

namespace proffer::master {
namespace {

class MasterScenario : public ::testing::TestWithParam<std::string> {};

TEST_P(MasterScenario, GoesAsWritten) {
  const absl::Status status = testing::RunScenarioFile(GetParam(), [] {
    auto stage = std::make_shared<Stage>();
    return [stage](const testing::ScenarioCommand& command, std::string* output) {
      stage->Perform(command, output);
    };
  });
  EXPECT_TRUE(status.ok()) << status.message();
}

INSTANTIATE_TEST_SUITE_P(Files, MasterScenario,
                         ::testing::ValuesIn(testing::ScenarioFiles("tests/data/master")),
                         [](const auto& info) {
                           const size_t slash = info.param.rfind('/') + 1;
                           return info.param.substr(slash, info.param.rfind('.') - slash);
                         });

}  // namespace
}  // namespace proffer::master
