// When another master's process is known to be dead, and when it is not.
#include "master/lifeline.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/mutex.h"
#include "support/loopback.h"

namespace proffer::master {
namespace {

// How long to look for what must not happen; several times what the lifeline needs.
constexpr int64_t kAWhileMs = 700;

class Died {
 public:
  void Happened() {
    MutexLock lock(&mutex_);
    happened_ = true;
    changed_.SignalAll();
  }
  bool Await(int64_t patience_ms) {
    MutexLock lock(&mutex_);
    while (!happened_) {
      if (!changed_.WaitFor(&mutex_, patience_ms)) return happened_;
    }
    return true;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool happened_ = false;
};

// Another master, as far as its sockets go.
class LifelineTest : public ::testing::Test {
 protected:
  LifelineTest() : listener_(testing::BoundSocket(0, &port_)) { listen(listener_, 8); }
  ~LifelineTest() override { Close(&listener_); }

  std::unique_ptr<Lifeline> Hold() {
    return std::make_unique<Lifeline>(
        std::vector<rpc::Address>{{"unix:/nowhere/at/all", true},
                                  {absl::StrCat("127.0.0.1:", port_), false}},
        [this] { died_.Happened(); });
  }
  int Accept() const { return accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC); }
  static void Close(int* fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
  }

  int port_ = 0;
  int listener_;
  Died died_;
};

TEST_F(LifelineTest, WhoeverIsGoneWithHisListenerIsDead) {
  const auto lifeline = Hold();
  int connection = Accept();
  Close(&listener_);
  EXPECT_FALSE(died_.Await(kAWhileMs));  // The connection is still there.
  Close(&connection);
  EXPECT_TRUE(died_.Await(60'000));
}

TEST_F(LifelineTest, WhoeverClosesAndCanBeReachedAgainLives) {
  const auto lifeline = Hold();
  for (int i = 0; i < 3; ++i) {
    int connection = Accept();
    ASSERT_GE(connection, 0);
    Close(&connection);
  }
  EXPECT_FALSE(died_.Await(kAWhileMs));
}

TEST_F(LifelineTest, WhoeverWasNeverReachedIsNotDead) {
  Close(&listener_);
  const auto lifeline = Hold();
  EXPECT_FALSE(died_.Await(kAWhileMs));
  // It begins to listen only now.
  listener_ = testing::BoundSocket(port_, &port_);
  listen(listener_, 8);
  int connection = Accept();
  Close(&listener_);
  Close(&connection);
  EXPECT_TRUE(died_.Await(60'000));
}

TEST_F(LifelineTest, EndsWhileItWaits) {
  auto lifeline = Hold();
  int connection = Accept();
  lifeline.reset();
  Close(&connection);
  EXPECT_FALSE(died_.Await(0));
}

}  // namespace
}  // namespace proffer::master
