// The scenarios of tests/data/allocator.
#include "support/scenario.h"

#include <gtest/gtest.h>

#include <memory>

#include "unit/allocator/stage.h"

namespace proffer::allocator {
namespace {

class AllocatorScenario : public ::testing::TestWithParam<std::string> {};

TEST_P(AllocatorScenario, GoesAsWritten) {
  const absl::Status status = testing::RunScenarioFile(GetParam(), [] {
    auto stage = std::make_shared<Stage>();
    return [stage](const testing::ScenarioCommand& command, std::string* output) {
      stage->Perform(command, output);
    };
  });
  EXPECT_TRUE(status.ok()) << status.message();
}

INSTANTIATE_TEST_SUITE_P(Files, AllocatorScenario,
                         ::testing::ValuesIn(testing::ScenarioFiles("tests/data/allocator")),
                         [](const auto& info) {
                           const size_t slash = info.param.rfind('/') + 1;
                           std::string name =
                               info.param.substr(slash, info.param.rfind('.') - slash);
                           for (char& c : name)
                             c = isalnum(static_cast<unsigned char>(c)) ? c : '_';
                           return name;
                         });

}  // namespace
}  // namespace proffer::allocator
