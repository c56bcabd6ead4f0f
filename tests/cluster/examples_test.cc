// The examples do what they say, as programs, on a cluster of real processes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "support/mini_cluster.h"

namespace proffer {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class ExamplesTest : public ::testing::Test {
 protected:
  ExamplesTest() : cluster_({.agents = 1, .on_disk = false}) {
    setenv("PROFFER_MASTER", cluster_.address().c_str(), 1);
  }
  // What it printed; its exit code in `code_`.
  std::string Run(const std::string& command) {
    FILE* pipe = popen((command + " 2>&1").c_str(), "r");
    std::string text;
    char buffer[4096];
    while (const size_t got = fread(buffer, 1, sizeof buffer, pipe)) text.append(buffer, got);
    const int status = pclose(pipe);
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return text;
  }
  static std::string Program(const std::string& name) {
    return absl::StrCat(PROFFER_BINARY_DIR, "/bin/", name);
  }

  testing::MiniCluster cluster_;
  int code_ = -1;
};

TEST_F(ExamplesTest, HelloPrintsWhatItsTaskPrintedAndNothingElse) {
  const std::string text = Run(Program("hello"));
  EXPECT_EQ(code_, 0);
  EXPECT_THAT(text, StartsWith("hello from "));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
}

TEST_F(ExamplesTest, OffersRunsAllItsTasks) {
  const std::string text = Run(Program("offers") + " 20");
  EXPECT_EQ(code_, 0) << text;
  EXPECT_THAT(text, HasSubstr("task-20 FINISHED"));
  EXPECT_TRUE(cluster_.AllFree());
}

TEST_F(ExamplesTest, ASchedulerInPythonNeedsTheStubsAlone) {
  const std::string text =
      Run(absl::StrCat(PROFFER_SOURCE_DIR, "/examples/run_python.sh ", PROFFER_BINARY_DIR));
  if (code_ == 77) GTEST_SKIP() << text;
  EXPECT_EQ(code_, 0) << text;
  EXPECT_THAT(text, HasSubstr("python-3 FINISHED"));
}

}  // namespace
}  // namespace proffer
