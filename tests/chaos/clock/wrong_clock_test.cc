// A wall clock that is set while a program runs. What daemons have preloaded is linked into this
// test, where it takes the place of the C library's functions just as well.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "common/base/clock.h"

namespace proffer::chaos {
namespace {

constexpr int64_t kHourS = 3'600;

void SetClock(int64_t offset_s) {
  const int fd = open(getenv("PROFFER_WRONG_CLOCK"), O_WRONLY | O_CLOEXEC);
  const int64_t ns = offset_s * 1'000'000'000;
  ASSERT_EQ(pwrite(fd, &ns, sizeof(ns), 0), static_cast<ssize_t>(sizeof(ns)));
  close(fd);
}

class WrongClockTest : public ::testing::Test {
 protected:
  void TearDown() override { SetClock(0); }
};

TEST_F(WrongClockTest, EveryoneWhoAsksForWallTimeIsToldTheSame) {
  const int64_t right_s = time(nullptr);
  for (const int64_t offset_s : {5 * kHourS, -3 * kHourS, int64_t{7}}) {
    SetClock(offset_s);
    const auto expect_told = [&](int64_t told_s) {
      EXPECT_GE(told_s, right_s + offset_s);
      EXPECT_LT(told_s, right_s + offset_s + 600);
    };
    expect_told(time(nullptr));
    timeval now = {};
    gettimeofday(&now, nullptr);
    expect_told(now.tv_sec);
    expect_told(UnixNowMs() / 1'000);
    expect_told(absl::ToUnixSeconds(absl::Now()));
    expect_told(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()));
  }
}

TEST_F(WrongClockTest, TheTimeSinceBootGoesOn) {
  const Time before = BootTimeNow();
  SetClock(5 * kHourS);
  EXPECT_LT(BootTimeNow() - before, kHourS * 1'000);
  SetClock(-5 * kHourS);
  EXPECT_GE(BootTimeNow(), before);
}

// As when a kernel's clock is set: otherwise nothing would be learnt of what daemons make of it.
TEST_F(WrongClockTest, WhoWaitsUntilAMomentWaitsByTheWrongClock) {
  absl::Mutex mutex;
  bool waits = false;
  const absl::Time deadline = absl::Now() + absl::Hours(1);
  std::thread waiter([&] {
    absl::MutexLock lock(&mutex);
    waits = true;
    absl::CondVar never;
    EXPECT_TRUE(never.WaitWithDeadline(&mutex, deadline));
  });
  {
    absl::MutexLock lock(&mutex);
    mutex.Await(absl::Condition(&waits));
  }
  SetClock(2 * kHourS);
  waiter.join();
}

}  // namespace
}  // namespace proffer::chaos

// The file is looked for once, before main.
int main(int argc, char** argv) {
  if (getenv("PROFFER_WRONG_CLOCK") == nullptr) {
    std::string path = "/tmp/wrong-clock-XXXXXX";
    const int fd = mkstemp(path.data());
    if (fd < 0 || ftruncate(fd, sizeof(int64_t)) != 0) return 1;
    close(fd);
    setenv("PROFFER_WRONG_CLOCK", path.c_str(), 1);
    execv("/proc/self/exe", argv);
    return 1;
  }
  testing::InitGoogleTest(&argc, argv);
  const int result = RUN_ALL_TESTS();
  unlink(getenv("PROFFER_WRONG_CLOCK"));
  return result;
}
