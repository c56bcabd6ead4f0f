#include "chaos/slow_link.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <glog/logging.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "chaos/command.h"
#include "common/base/clock.h"

namespace proffer::chaos {
namespace {

// A frame that the kernel has not cut into packets yet, with what it knows of it in front.
constexpr size_t kLargestFrame = 80 * 1024;
// A router's memory; what does not fit is lost, as there.
constexpr size_t kMostWaitingBytes = 16 << 20;

// Each frame has a virtio_net_hdr in front on both sides: checksums that nobody has computed and
// packets that nobody has cut yet pass as they would inside of the kernel.
int OpenTap(const std::string& name) {
  const int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  PCHECK(fd >= 0) << "/dev/net/tun";
  ifreq request = {};
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  CHECK_LT(name.size(), sizeof(request.ifr_name));
  std::memcpy(request.ifr_name, name.c_str(), name.size() + 1);
  PCHECK(ioctl(fd, TUNSETIFF, &request) == 0) << name;
  return fd;
}

int OpenPackets(const std::string& port) {
  // No protocol yet: nothing of other links gets in before it is bound.
  const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  PCHECK(fd >= 0);
  const int one = 1;
  PCHECK(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) == 0);
  // What we send there ourselves.
  PCHECK(setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) == 0);
  const int room = 4 << 20;
  PCHECK(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) == 0);
  sockaddr_ll address = {};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(if_nametoindex(port.c_str()));
  PCHECK(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) << port;
  return fd;
}

}  // namespace

SlowLink::SlowLink(std::string name, std::string port, std::string bridge, LinkWeather weather,
                   uint64_t seed)
    : port_(std::move(port)), bridge_(std::move(bridge)), weather_(weather), prng_(seed) {
  tap_ = OpenTap(name);
  packets_ = OpenPackets(port_);
  stop_ = eventfd(0, EFD_CLOEXEC);
  in_.from = out_.to = tap_;
  in_.to = out_.from = packets_;
  // Never both in the bridge, or every frame would arrive twice.
  MustRun({"ip", "-batch", "-"}, absl::StrCat("link set ", port_, " nomaster\nlink set ", name,
                                              " master ", bridge_, " up\n"));
  thread_ = std::thread([this] { Run(); });
}

SlowLink::~SlowLink() {
  const uint64_t one = 1;
  PCHECK(write(stop_, &one, sizeof(one)) == sizeof(one));
  thread_.join();
  close(packets_);
  close(tap_);  // And the device is gone.
  close(stop_);
  MustRun({"ip", "link", "set", port_, "master", bridge_});
}

void SlowLink::SetWeather(LinkWeather weather) {
  MutexLock lock(&mutex_);
  weather_ = weather;
}

LinkWeather SlowLink::weather() const {
  MutexLock lock(&mutex_);
  return weather_;
}

void SlowLink::Run() {
  while (true) {
    int wait_ms = -1;
    for (const Direction* direction : {&in_, &out_}) {
      if (direction->waiting.empty()) continue;
      const int64_t left_ms =
          std::max<int64_t>(direction->waiting.begin()->first - BootTimeNow(), 0);
      if (wait_ms < 0 || left_ms < wait_ms) wait_ms = static_cast<int>(left_ms);
    }
    pollfd waits[] = {{stop_, POLLIN, 0}, {in_.from, POLLIN, 0}, {out_.from, POLLIN, 0}};
    poll(waits, 3, wait_ms);
    for (Direction* direction : {&in_, &out_}) {
      Take(direction);
      Deliver(direction, waits[0].revents != 0 ? Time::Never() : BootTimeNow());
    }
    if (waits[0].revents != 0) return;
  }
}

void SlowLink::Take(Direction* direction) {
  const LinkWeather weather = this->weather();
  Frame buffer(kLargestFrame);
  while (true) {
    const ssize_t got = read(direction->from, buffer.data(), buffer.size());
    if (got <= 0) return;
    const auto size = static_cast<size_t>(got);
    if (direction->waiting_bytes + size > kMostWaitingBytes) continue;
    const int64_t more_ms = weather.spread_ms > 0 ? prng_.Between(0, weather.spread_ms) : 0;
    direction->waiting_bytes += size;
    direction->waiting[BootTimeNow() + (weather.delay_ms + more_ms)].emplace_back(
        buffer.begin(), buffer.begin() + got);
  }
}

void SlowLink::Deliver(Direction* direction, Time until) {
  while (!direction->waiting.empty() && direction->waiting.begin()->first <= until) {
    for (const Frame& frame : direction->waiting.begin()->second) {
      direction->waiting_bytes -= frame.size();
      // What the other side has no room for is lost, as on any link.
      if (write(direction->to, frame.data(), frame.size()) < 0) VLOG(1) << "a frame was lost";
    }
    direction->waiting.erase(direction->waiting.begin());
  }
}

}  // namespace proffer::chaos
