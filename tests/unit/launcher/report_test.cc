// What a shim hears of its init.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "launcher/init.h"

namespace proffer::launcher {
namespace {

class ReportTest : public ::testing::Test {
 protected:
  ReportTest() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends_), 0); }
  ~ReportTest() override {
    for (const int end : ends_) {
      if (end >= 0) close(end);
    }
  }
  void InitSays(const InitReport& report) const {
    ASSERT_EQ(send(ends_[1], &report, sizeof(report), 0), static_cast<ssize_t>(sizeof(report)));
  }
  void InitEnds() {
    close(ends_[1]);
    ends_[1] = -1;
  }
  bool Hear() { return ReceiveReport(ends_[0], &report_, &pid_, &text_, &closed_); }

  int ends_[2] = {-1, -1};
  InitReport report_;
  pid_t pid_ = 0;
  std::string text_;
  bool closed_ = false;
};

TEST_F(ReportTest, TheLastWordIsHeardThoughAnOrderWasNotReadAnyMore) {
  SendOrder(ends_[0], {InitOrder::kSignal, 15});
  InitSays({InitReport::kExited, 0, 7});
  InitEnds();
  ASSERT_TRUE(Hear());
  EXPECT_EQ(report_.kind, InitReport::kExited);
  EXPECT_EQ(report_.code, 7);
  EXPECT_FALSE(Hear());
  EXPECT_TRUE(closed_);
}

TEST_F(ReportTest, SilenceIsNoEnd) {
  EXPECT_FALSE(Hear());
  EXPECT_FALSE(closed_);
}

}  // namespace
}  // namespace proffer::launcher
