// The reader of scenario files.
#include "support/scenario.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace proffer::testing {
namespace {

constexpr char kText[] =
    "# About.\n\nsay one\nsay \"two words\" key=value\n----\none\n\n"
    "# Blank lines.\nsay\n----\n----\na\n\nb\n----\n----\n\nquiet\n----\n\n# The end.\n";

TEST(Scenario, PrintOfParseIsTheIdentity) {
  const absl::StatusOr<Scenario> scenario = ParseScenario("x", kText);
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  ASSERT_EQ(scenario->blocks.size(), 3u);
  EXPECT_EQ(scenario->blocks[0].line, 3);
  EXPECT_EQ(scenario->blocks[0].commands.size(), 2u);
  EXPECT_EQ(scenario->blocks[0].expected, "one\n");
  EXPECT_EQ(scenario->blocks[1].expected, "a\n\nb\n");
  EXPECT_EQ(scenario->blocks[2].expected, "");
  EXPECT_EQ(PrintScenario(*scenario), kText);
}

TEST(Scenario, CommandsWithoutTheSeparatorAreRefused) {
  EXPECT_FALSE(ParseScenario("x", "say one\n").ok());
  EXPECT_FALSE(ParseScenario("x", "say one\n\nsay two\n----\n").ok());
}

TEST(Scenario, CommandsHaveWordsAndOptions) {
  const ScenarioCommand command = ParseScenarioCommand("run  a \"b c\" where=\"x==1 && y\" =z");
  EXPECT_EQ(command.name, "run");
  EXPECT_EQ(command.words, (std::vector<std::string>{"a", "b c", "=z"}));
  EXPECT_EQ(command.Option("where"), "x==1 && y");
  EXPECT_EQ(command.Option("none", "?"), "?");
}

class ScenarioRun : public ::testing::Test {
 protected:
  ScenarioRun() : path_(::testing::TempDir() + "/scenario_test.txt") {
    std::ofstream(path_) << "say one\n----\ntwo\n";
  }
  ~ScenarioRun() override {
    std::remove(path_.c_str());
    unsetenv("PROFFER_REWRITE");
  }
  absl::Status Run() {
    return RunScenarioFile(path_, [] {
      return [](const ScenarioCommand& command, std::string* output) {
        *output += command.words[0] + "\n";
      };
    });
  }

  const std::string path_;
};

TEST_F(ScenarioRun, ADifferenceIsAnErrorThatSaysWhereAndWhat) {
  unsetenv("PROFFER_REWRITE");
  const absl::Status status = Run();
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.message().find(path_ + ":1"), absl::string_view::npos);
  EXPECT_NE(status.message().find("expected:\ntwo\nprinted:\none\n"), absl::string_view::npos);
}

TEST_F(ScenarioRun, RewriteTakesOverWhatWasPrinted) {
  setenv("PROFFER_REWRITE", "1", 1);
  EXPECT_TRUE(Run().ok());
  unsetenv("PROFFER_REWRITE");
  EXPECT_TRUE(Run().ok());
}

}  // namespace
}  // namespace proffer::testing
