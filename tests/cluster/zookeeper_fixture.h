// What the tests on real ZooKeeper servers share: one ensemble, and a chroot for each test.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/zookeeper/address.h"
#include "common/zookeeper/leader_info.h"
#include "common/zookeeper/session.h"
#include "support/zookeeper_ensemble.h"

namespace proffer {

// As long as anybody may have to wait for what is certain to come.
inline constexpr int64_t kPatienceMs = 60'000;

class ZooKeeperTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = testing::ZooKeeperEnsemble::WhyNot(); !why.empty()) {
      GTEST_SKIP() << "not run, because " << why;
    }
    address_ = zk::ParseAddress(ensemble().address(absl::StrCat("/test-", ++last_chroot_))).value();
  }
  // Three servers, started by the first test that needs them, until the program ends.
  static testing::ZooKeeperEnsemble& ensemble() {
    static testing::ZooKeeperEnsemble three(3);
    return three;
  }

  std::unique_ptr<zk::Session> Connect(zk::Session::Options options = {}) const {
    return ConnectTo(address_, std::move(options));
  }
  static std::unique_ptr<zk::Session> ConnectTo(const zk::Address& address,
                                                zk::Session::Options options = {}) {
    auto session = zk::Session::Connect(address, std::move(options));
    EXPECT_TRUE(session.ok()) << session.status();
    return *std::move(session);
  }
  // The same chroot by way of something in between.
  zk::Address By(const std::string& server) const { return {{server}, address_.chroot}; }

  zk::Address address_;

 private:
  static inline int last_chroot_ = 0;
};

// Something that is told to one thread and waited for by another.
template <typename T>
class Told {
 public:
  void Tell(T value) {
    MutexLock lock(&mutex_);
    all_.push_back(std::move(value));
    changed_.SignalAll();
  }
  // Waits for the `count`-th, from one on; nullopt when it does not come.
  std::optional<T> Await(size_t count = 1, int64_t patience_ms = kPatienceMs) {
    const Time give_up = BootTimeNow() + patience_ms;
    MutexLock lock(&mutex_);
    while (all_.size() < count) {
      const int64_t left_ms = give_up - BootTimeNow();
      if (left_ms <= 0) return std::nullopt;
      changed_.WaitFor(&mutex_, left_ms);
    }
    return all_[count - 1];
  }
  size_t count() {
    MutexLock lock(&mutex_);
    return all_.size();
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<T> all_;
};

}  // namespace proffer
