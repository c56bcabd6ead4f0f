// What the commands print, word for word: the files of tests/data/cli.
#include <gtest/gtest.h>

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "cli/app.h"
#include "support/scenario.h"
#include "unit/cli/canned_cluster.h"

namespace proffer::cli {
namespace {

struct Terminal {
  CannedCluster cluster;
  bool with_master = true;
  bool tty = false;
  std::string answers;  // What is typed.

  // Runs one command; stderr's lines have a mark in front, the exit code is last unless it is 0.
  std::string Do(const std::vector<std::string>& arguments) {
    std::ostringstream out;
    std::ostringstream err;
    std::istringstream in(answers);
    Context context{out,
                    err,
                    in,
                    [] { return kCannedNowMs; },
                    [this](const char* name) {
                      const std::string text = name;
                      if (text == "PROFFER_MASTER" && with_master) return cluster.address();
                      return text == "HOME" ? std::string("/nowhere") : std::string();
                    },
                    tty,
                    tty,
                    tty};
    const int code = RunProffer(context, arguments);
    std::string text = out.str();
    if (!text.empty() && text.back() != '\n') text += "(no newline)\n";
    for (absl::string_view line : absl::StrSplit(err.str(), '\n', absl::SkipEmpty())) {
      absl::StrAppend(&text, "! ", line, "\n");
    }
    for (const std::string& order : cluster.TakeOrders()) absl::StrAppend(&text, "> ", order, "\n");
    if (code != 0) absl::StrAppend(&text, "exit ", code, "\n");
    return absl::StrReplaceAll(text, {{cluster.address(), "unix:/canned"}});
  }
};

class CliGolden : public ::testing::TestWithParam<std::string> {};

TEST_P(CliGolden, PrintsAsWritten) {
  setenv("TZ", "UTC", 1);
  const absl::Status status = testing::RunScenarioFile(GetParam(), [] {
    auto terminal = std::make_shared<Terminal>();
    return [terminal](const testing::ScenarioCommand& command, std::string* output) {
      if (command.name == "proffer") {
        *output += terminal->Do(command.words);
      } else if (command.name == "no-master") {
        terminal->with_master = false;
      } else if (command.name == "terminal") {
        terminal->tty = true;
        terminal->answers = command.words.empty() ? "" : command.words[0] + "\n";
      } else if (command.name == "fail") {
        terminal->cluster.FailWith(grpc::Status(
            static_cast<grpc::StatusCode>(atoi(command.words[0].c_str())), command.words[1]));
      } else {
        absl::StrAppend(output, "unknown command ", command.name, "\n");
      }
    };
  });
  EXPECT_TRUE(status.ok()) << status.message();
}

INSTANTIATE_TEST_SUITE_P(Files, CliGolden,
                         ::testing::ValuesIn(testing::ScenarioFiles("tests/data/cli")),
                         [](const auto& info) {
                           const size_t slash = info.param.rfind('/') + 1;
                           return info.param.substr(slash, info.param.rfind('.') - slash);
                         });

}  // namespace
}  // namespace proffer::cli
