// The scenarios of tests/data/master_wire: what outsiders may put on the wire.
#include <gtest/gtest.h>

#include <memory>

#include "support/scenario.h"
#include "unit/master/wire_stage.h"

namespace proffer::master {
namespace {

class MasterWireScenario : public ::testing::TestWithParam<std::string> {};

TEST_P(MasterWireScenario, GoesAsWritten) {
  const absl::Status status = testing::RunScenarioFile(GetParam(), [] {
    auto stage = std::make_shared<WireStage>();
    return [stage](const testing::ScenarioCommand& command, std::string* output) {
      stage->Perform(command, output);
    };
  });
  EXPECT_TRUE(status.ok()) << status.message();
}

INSTANTIATE_TEST_SUITE_P(Files, MasterWireScenario,
                         ::testing::ValuesIn(testing::ScenarioFiles("tests/data/master_wire")),
                         [](const auto& info) {
                           const size_t slash = info.param.rfind('/') + 1;
                           return info.param.substr(slash, info.param.rfind('.') - slash);
                         });

}  // namespace
}  // namespace proffer::master
