// Links between network namespaces: real sockets see their packets late, and out of order.
#include "chaos/slow_link.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <glog/logging.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <numeric>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "chaos/command.h"
#include "chaos/network.h"
#include "common/base/clock.h"
#include "common/base/prng.h"

namespace proffer::chaos {
namespace {

constexpr int kPort = 7000;

class SlowLinkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can make network namespaces";
    if (access("/dev/net/tun", F_OK) != 0) GTEST_SKIP() << "there is no /dev/net/tun";
    if (access("/usr/sbin/ip", X_OK) != 0 && access("/sbin/ip", X_OK) != 0) {
      GTEST_SKIP() << "there is no ip; scripts/install.sh --all installs iproute2";
    }
    if (unshare(CLONE_NEWNET) != 0) GTEST_SKIP() << "network namespaces cannot be made here";
    home_ = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    network_ = std::make_unique<Network>(std::vector<std::string>{"a", "b"}, /*seed=*/7);
  }
  void TearDown() override {
    for (const int fd : open_) close(fd);
    if (network_ == nullptr) return;
    network_->SetWeather({});
    for (const pid_t holder : network_->holders()) kill(holder, SIGKILL);
    close(home_);
  }

  // This thread, until Leave.
  void Enter(const std::string& node) const {
    const std::vector<pid_t> holders = network_->holders();  // By name.
    const std::string path = absl::StrCat("/proc/", holders[node == "a" ? 0 : 1], "/ns/net");
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    PCHECK(setns(fd, CLONE_NEWNET) == 0);
    close(fd);
  }
  void Leave() const { PCHECK(setns(home_, CLONE_NEWNET) == 0); }

  // A socket stays where it was made.
  int Socket(const std::string& node, int type) {
    Enter(node);
    const int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    Leave();
    PCHECK(fd >= 0);
    open_.push_back(fd);
    // A test that fails, fails, and does not hang.
    const timeval patience = {30, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return fd;
  }
  void Bind(int fd, const std::string& node) const {
    const sockaddr_in address = AddressOf(node);
    PCHECK(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  }
  void Connect(int fd, const std::string& node) const {
    const sockaddr_in address = AddressOf(node);
    PCHECK(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  }
  sockaddr_in AddressOf(const std::string& node) const {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(kPort);
    inet_pton(AF_INET, network_->address(node).c_str(), &address.sin_addr);
    return address;
  }
  // Two UDP sockets that know each other.
  void Pair(int* a, int* b) {
    *a = Socket("a", SOCK_DGRAM);
    *b = Socket("b", SOCK_DGRAM);
    Bind(*a, "a");
    Bind(*b, "b");
    Connect(*a, "b");
    Connect(*b, "a");
  }
  static int64_t RoundTripMs(int a, int b) {
    const Time sent = BootTimeNow();
    char byte = 'x';
    PCHECK(send(a, &byte, 1, 0) == 1);
    PCHECK(recv(b, &byte, 1, 0) == 1);
    PCHECK(send(b, &byte, 1, 0) == 1);
    PCHECK(recv(a, &byte, 1, 0) == 1);
    return BootTimeNow() - sent;
  }
  // As they arrive at b, of 0, 1, ... that a sends at once.
  static std::vector<int> ArrivalsOf(int count, int a, int b) {
    for (int i = 0; i < count; ++i) PCHECK(send(a, &i, sizeof(i), 0) == sizeof(i));
    std::vector<int> arrivals;
    for (int number = 0; static_cast<int>(arrivals.size()) < count;) {
      if (recv(b, &number, sizeof(number), 0) != sizeof(number)) break;
      arrivals.push_back(number);
    }
    return arrivals;
  }
  // The kernel's count of segments that came to b before those that belong in front of them.
  int64_t SegmentsOutOfOrder() const {
    Enter("b");
    std::istringstream lines(ReadWhole("/proc/thread-self/net/netstat"));
    Leave();
    for (std::string names, values; std::getline(lines, names) && std::getline(lines, values);) {
      std::istringstream name(names);
      std::istringstream value(values);
      for (std::string n, v; name >> n && value >> v;) {
        if (n == "TCPOFOQueue") return std::stoll(v);
      }
    }
    return -1;
  }

  std::unique_ptr<Network> network_;

 private:
  int home_ = -1;
  std::vector<int> open_;
};

TEST_F(SlowLinkTest, ADelayIsThereWhileItIsWantedAndKeepsTheOrder) {
  int a = -1;
  int b = -1;
  Pair(&a, &b);
  network_->SetWeather({{"b", {/*delay_ms=*/60}}});
  for (int i = 0; i < 3; ++i) EXPECT_GE(RoundTripMs(a, b), 120);
  std::vector<int> in_order(100);
  std::iota(in_order.begin(), in_order.end(), 0);
  EXPECT_EQ(ArrivalsOf(100, a, b), in_order);
  network_->SetWeather({{"a", {/*delay_ms=*/40}}, {"b", {/*delay_ms=*/60}}});
  EXPECT_GE(RoundTripMs(a, b), 200);
  network_->SetWeather({});
  // However busy the machine is, one of them is quicker than the slow link ever was.
  int64_t quickest_ms = 1'000;
  for (int i = 0; i < 200 && quickest_ms >= 120; ++i) {
    quickest_ms = std::min(quickest_ms, RoundTripMs(a, b));
  }
  EXPECT_LT(quickest_ms, 120);
}

TEST_F(SlowLinkTest, PacketsOvertakeEachOtherAndNoneIsLost) {
  int a = -1;
  int b = -1;
  Pair(&a, &b);
  network_->SetWeather({{"a", {/*delay_ms=*/0, /*spread_ms=*/50}}});
  std::vector<int> arrivals = ArrivalsOf(200, a, b);
  int overtaken = 0;
  for (size_t i = 1; i < arrivals.size(); ++i) overtaken += arrivals[i] < arrivals[i - 1] ? 1 : 0;
  EXPECT_GT(overtaken, 10);
  std::sort(arrivals.begin(), arrivals.end());
  std::vector<int> all(200);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(arrivals, all);
}

TEST_F(SlowLinkTest, AStreamArrivesWholeThoughItsSegmentsDoNotInOrder) {
  const int listener = Socket("b", SOCK_STREAM);
  Bind(listener, "b");
  ASSERT_EQ(listen(listener, 1), 0);
  const int a = Socket("a", SOCK_STREAM);
  Connect(a, "b");
  const int b = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  ASSERT_GE(b, 0);
  // In both places where a link can be slow, and in the middle of it without.
  const std::vector<std::map<std::string, LinkWeather>> weathers = {
      {{"a", {/*delay_ms=*/5, /*spread_ms=*/10}}}, {}, {{"b", {/*delay_ms=*/0, /*spread_ms=*/10}}}};
  Prng prng(7);
  for (const auto& weather : weathers) {
    const int64_t before = SegmentsOutOfOrder();
    network_->SetWeather(weather);
    std::string sent(512 * 1024, ' ');
    for (char& byte : sent) byte = static_cast<char>(prng.Next());
    std::thread sender([&] {
      for (size_t at = 0; at < sent.size();) {
        const ssize_t done = send(a, sent.data() + at, sent.size() - at, MSG_NOSIGNAL);
        if (done <= 0) return;
        at += static_cast<size_t>(done);
      }
    });
    std::string received;
    char buffer[64 * 1024];
    while (received.size() < sent.size()) {
      const ssize_t got = recv(b, buffer, sizeof(buffer), 0);
      if (got <= 0) break;
      received.append(buffer, static_cast<size_t>(got));
    }
    sender.join();
    EXPECT_TRUE(received == sent) << received.size() << " bytes of " << sent.size();
    if (!weather.empty()) {
      EXPECT_GT(SegmentsOutOfOrder(), before);
    }
  }
  close(b);
}

}  // namespace
}  // namespace proffer::chaos
