// What the SDK keeps in files: the state of a framework, and the context.
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proffer/context.h"
#include "proffer/state_store.h"
#include "proffer/task.h"
#include "proffer/units.h"

namespace proffer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

class FilesTest : public ::testing::Test {
 protected:
  FilesTest() {
    char name[] = "/tmp/proffer-files-XXXXXX";
    directory_ = mkdtemp(name);
  }
  ~FilesTest() override {
    for (const char* file : {"/state", "/state.lock", "/state.new", "/.proffer/context"}) {
      unlink((directory_ + file).c_str());
    }
    rmdir((directory_ + "/.proffer").c_str());
    rmdir(directory_.c_str());
  }
  std::string Path() const { return directory_ + "/state"; }
  std::string Content() const {
    std::ifstream file(Path());
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  void Put(const std::string& text) const { std::ofstream(Path()) << text; }

  std::string directory_;
};

TEST_F(FilesTest, StateSurvives) {
  {
    FileStateStore store(Path());
    EXPECT_THAT(*store.Load(), IsEmpty());
    ASSERT_TRUE(store.Write({{"framework_id", "F-1"}, {"intent/a", "1%=\n\x01 x"}}).ok());
    ASSERT_TRUE(store.Write({{"intent/b", "2"}, {"framework_id", std::nullopt}}).ok());
  }
  FileStateStore store(Path());
  EXPECT_THAT(*store.Load(), ElementsAre(Pair("intent/a", "1%=\n\x01 x"), Pair("intent/b", "2")));
  struct stat facts;
  ASSERT_EQ(stat(Path().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
}

TEST_F(FilesTest, TwoProcessesCannotUseOneStateFile) {
  FileStateStore first(Path());
  ASSERT_TRUE(first.Load().ok());
  FileStateStore second(Path());
  EXPECT_EQ(second.Load().status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(FilesTest, EveryTruncationOfTheStateFileIsNoticed) {
  {
    FileStateStore store(Path());
    ASSERT_TRUE(store.Load().ok());
    ASSERT_TRUE(store.Write({{"framework_id", "F-1"}, {"intent/a", "i A-1"}}).ok());
  }
  const std::string whole = Content();
  for (size_t length = 0; length + 1 < whole.size(); ++length) {
    Put(whole.substr(0, length));
    FileStateStore store(Path());
    EXPECT_EQ(store.Load().status().code(), absl::StatusCode::kDataLoss) << length;
  }
}

TEST_F(FilesTest, AForeignStateFileIsNamed) {
  Put("something else\n");
  FileStateStore store(Path());
  EXPECT_THAT(std::string(store.Load().status().message()), HasSubstr(Path() + ":1"));
}

TEST_F(FilesTest, AStateThatCannotBeWrittenIsAnError) {
  FileStateStore store("/proc/no/such/place");
  EXPECT_FALSE(store.Write({{"a", "b"}}).ok());
}

TEST_F(FilesTest, TheContextIsFoundAfterFlagAndEnvironment) {
  setenv("HOME", directory_.c_str(), 1);
  unsetenv("PROFFER_MASTER");
  const absl::StatusOr<std::string> none = FindMaster("");
  EXPECT_EQ(none.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(none.status().message()), HasSubstr("proffer dev"));
  ASSERT_TRUE(WriteContext(DefaultContextPath(), {"unix:/run/master"}).ok());
  EXPECT_EQ(*FindMaster(""), "unix:/run/master");
  setenv("PROFFER_MASTER", "127.0.0.1:1", 1);
  EXPECT_EQ(*FindMaster(""), "127.0.0.1:1");
  EXPECT_EQ(*FindMaster("unix:/flag"), "unix:/flag");
  unsetenv("PROFFER_MASTER");
}

TEST_F(FilesTest, ADamagedContextIsNamedByLine) {
  Put("# a comment\nother=thing\nnonsense\n");
  EXPECT_THAT(std::string(ReadContext(Path()).status().message()), HasSubstr(":3"));
}

TEST(TaskTest, RemembersTheFirstThingThatIsWrong) {
  using namespace proffer::literals;
  const Task good = Task{"t"}.Command("true").Cpus(0.1).Mem(32_MiB).Ports(2).Require("rack==r1");
  EXPECT_TRUE(good.status().ok()) << good.status();
  EXPECT_EQ(good.amounts().ToString(), "cpus:0.1;mem:32MiB;ports:2");
  EXPECT_THAT(good.args(), ElementsAre("/bin/sh", "-c", "true"));
  EXPECT_THAT(std::string(Task{"t"}.Cpus(-1).Mem(-1).status().message()), HasSubstr("cpus"));
  EXPECT_THAT(std::string(Task{"t"}.Cpus(0.0001).status().message()), HasSubstr("3 decimals"));
  EXPECT_FALSE(Task{"t"}.Cpus(0.0 / 0.0).status().ok());
  EXPECT_FALSE(Task{"t"}.Require("rack~=[").status().ok());
  EXPECT_FALSE(Task{"t"}.Amounts("cpus").status().ok());
  EXPECT_FALSE(Task{"t"}.KillGrace(std::chrono::hours(2)).status().ok());
  EXPECT_FALSE(Task{"t"}.Args({}).status().ok());
}

}  // namespace
}  // namespace proffer
