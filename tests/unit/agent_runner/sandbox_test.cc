// What the agent does with directories that belonged to somebody else.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "agent/log_reader.h"
#include "agent/sandboxes.h"
#include "agent/users.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "isolator/filesystem/delete_tree.h"
#include "isolator/pipeline.h"

namespace proffer::agent {
namespace {

using ::testing::HasSubstr;

class SandboxTest : public ::testing::Test {
 protected:
  SandboxTest() {
    char name[] = "/tmp/proffer-sandbox-XXXXXX";
    dir_ = mkdtemp(name);
    fd_ = open(dir_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  }
  ~SandboxTest() override {
    close(fd_);
    const int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    EXPECT_EQ(isolator::DeleteTree(tmp, dir_.substr(5)), "");
    close(tmp);
  }
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(dir_ + "/" + name) << text;
  }
  bool Exists(const std::string& name) {
    struct stat unused;
    return lstat((dir_ + "/" + name).c_str(), &unused) == 0;
  }

  std::string dir_;
  int fd_ = -1;
};

TEST_F(SandboxTest, DeletesATreeAndNothingBehindItsLinks) {
  mkdir((dir_ + "/outside").c_str(), 0755);
  Write("outside/canary", "lives");
  mkdir((dir_ + "/tree").c_str(), 0755);
  mkdir((dir_ + "/tree/closed").c_str(), 0755);
  Write("tree/closed/file", "x");
  chmod((dir_ + "/tree/closed").c_str(), 0);
  mkdir((dir_ + "/tree/.proffer-deleting-0").c_str(), 0755);
  Write("tree/.proffer-deleting-0/file", "x");
  ASSERT_EQ(symlink("../outside", (dir_ + "/tree/link").c_str()), 0);
  ASSERT_EQ(symlink("/", (dir_ + "/tree/root").c_str()), 0);
  ASSERT_EQ(link((dir_ + "/outside/canary").c_str(), (dir_ + "/tree/hard").c_str()), 0);
  ASSERT_EQ(mkfifo((dir_ + "/tree/fifo").c_str(), 0600), 0);
  const std::string left = isolator::DeleteTree(fd_, "tree");
  EXPECT_TRUE(left.empty()) << left;
  EXPECT_FALSE(Exists("tree"));
  EXPECT_TRUE(Exists("outside/canary"));
  ASSERT_EQ(symlink("outside", (dir_ + "/tree").c_str()), 0);
  EXPECT_EQ(isolator::DeleteTree(fd_, "tree"), "");
  EXPECT_FALSE(Exists("tree"));
  EXPECT_TRUE(Exists("outside/canary"));
}

TEST_F(SandboxTest, DeletesATreeOfAnyDepth) {
  int at = dup(fd_);
  ASSERT_EQ(mkdirat(at, "deep", 0755), 0);
  for (int i = 0; i < 2'000; ++i) {
    const int next = openat(at, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ASSERT_GE(next, 0);
    close(at);
    at = next;
    ASSERT_EQ(mkdirat(at, "deep", 0755), 0);
  }
  close(at);
  const std::string left = isolator::DeleteTree(fd_, "deep");
  EXPECT_TRUE(left.empty()) << left;
  EXPECT_FALSE(Exists("deep"));
}

TEST_F(SandboxTest, NeverEntersAMount) {
  mkdir((dir_ + "/volume").c_str(), 0755);
  Write("volume/canary", "lives");
  for (const char* name : {"/tree", "/tree/a", "/tree/a/mounted"}) {
    mkdir((dir_ + name).c_str(), 0755);
  }
  Write("tree/other", "x");
  const std::string target = dir_ + "/tree/a/mounted";
  if (mount((dir_ + "/volume").c_str(), target.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    GTEST_SKIP() << "mounting is not allowed here";
  }
  const std::string left = isolator::DeleteTree(fd_, "tree");
  EXPECT_FALSE(left.empty());
  EXPECT_TRUE(Exists("volume/canary"));
  EXPECT_FALSE(Exists("tree/other"));
  EXPECT_TRUE(Exists("tree"));
  // The mount may have moved with the directory it is in.
  ASSERT_EQ(umount((dir_ + "/tree/.proffer-deleting-0/mounted").c_str()), 0);
  EXPECT_EQ(isolator::DeleteTree(fd_, "tree"), "");
  EXPECT_TRUE(Exists("volume/canary"));
}

TEST_F(SandboxTest, ReadsNoLogThroughALink) {
  Write("secret", "do not tell");
  ASSERT_EQ(symlink("secret", (dir_ + "/stdout").c_str()), 0);
  EXPECT_FALSE(ReadLog(fd_, "stdout", 0, 100).ok());
  unlink((dir_ + "/stdout").c_str());
  ASSERT_EQ(link((dir_ + "/secret").c_str(), (dir_ + "/stdout").c_str()), 0);
  EXPECT_FALSE(ReadLog(fd_, "stdout", 0, 100).ok());
  unlink((dir_ + "/stdout").c_str());
  ASSERT_EQ(mkfifo((dir_ + "/stdout").c_str(), 0600), 0);
  EXPECT_FALSE(ReadLog(fd_, "stdout", 0, 100).ok());
  unlink((dir_ + "/stdout").c_str());
  EXPECT_FALSE(ReadLog(fd_, "stdout", 0, 100).ok());
  Write("stdout", "fine");
  // Numbers that the files do not bear out.
  Write(".stdout.offset", std::string(24, '\x02'));
  auto piece = ReadLog(fd_, "stdout", 0, 100);
  ASSERT_TRUE(piece.ok()) << piece.status();
  EXPECT_EQ(piece->data, "fine");
}

TEST_F(SandboxTest, DeletesBelowARootWithTheDirectoriesThatBecomeEmpty) {
  for (const char* made : {"/fw", "/fw/task", "/fw/task/1-1", "/fw/other", "/out"}) {
    mkdir((dir_ + made).c_str(), 0755);
  }
  Write("fw/task/1-1/file", "x");
  Write("out/canary", "lives");
  ASSERT_EQ(symlink("../out", (dir_ + "/fw/link").c_str()), 0);
  EXPECT_EQ(isolator::DeleteTreeBelow(fd_, "fw/task/1-1"), "");
  EXPECT_FALSE(Exists("fw/task"));
  EXPECT_TRUE(Exists("fw/other"));
  EXPECT_EQ(isolator::DeleteTreeBelow(fd_, "fw/task/1-1"), "") << "gone is fine";
  EXPECT_NE(isolator::DeleteTreeBelow(fd_, "fw/link/canary"), "");
  EXPECT_TRUE(Exists("out/canary"));
  EXPECT_EQ(isolator::DeleteTreeBelow(fd_, "out"), "");
  EXPECT_FALSE(Exists("out"));
}

TEST(TaskUser, WithoutRootNobodyElseCanBeChosen) {
  const auto other = ResolveUser("root", 65534);
  const auto self = ResolveUser("nobody", 65534);
  ASSERT_TRUE(other.ok());
  ASSERT_TRUE(self.ok());
  EXPECT_FALSE(self->switch_needed);
  isolator::TaskNeeds needs;
  isolator::LaunchPlan plan;
  needs.user = *other;
  EXPECT_THAT(isolator::PlanAll(needs, {}, &plan).message(), HasSubstr("does not run as root"));
  needs.user = *self;
  EXPECT_TRUE(isolator::PlanAll(needs, {}, &plan).ok());
}

TEST_F(SandboxTest, WhatAFormerLifeLeftIsDeletedOldestFirst) {
  const auto key = [](int n) {
    return model::TaskKey{model::FrameworkId("fw"), model::TaskId(absl::StrCat("t", n))};
  };
  {
    auto sandboxes = Sandboxes::Open(dir_, 10);
    ASSERT_TRUE(sandboxes.ok());
    for (uint64_t n = 1; n <= 4; ++n) {
      ASSERT_TRUE((*sandboxes)->Make(key(n), {1, n}).ok());
      const timespec when[2] = {{static_cast<time_t>(1000 * (10 - n)), 0},
                                {static_cast<time_t>(1000 * (10 - n)), 0}};
      utimensat(AT_FDCWD, (*sandboxes)->PathOf(key(n), {1, n}).c_str(), when, 0);
    }
  }
  auto sandboxes = Sandboxes::Open(dir_, 1);
  ASSERT_TRUE(sandboxes.ok());
  (*sandboxes)->AdoptEnded({{1, 4}});
  (*sandboxes)->WaitUntilIdle();
  EXPECT_TRUE(Exists("sandboxes/fw/t1/1-1"));  // The newest of the ended ones.
  EXPECT_FALSE(Exists("sandboxes/fw/t2"));
  EXPECT_FALSE(Exists("sandboxes/fw/t3"));
  EXPECT_TRUE(Exists("sandboxes/fw/t4/1-4"));  // It lives.
  auto newest = (*sandboxes)->NewestAttempt(key(1));
  ASSERT_TRUE(newest.ok());
  EXPECT_EQ(newest->n, 1u);
  EXPECT_FALSE((*sandboxes)->NewestAttempt(key(2)).ok());
}

}  // namespace
}  // namespace proffer::agent
