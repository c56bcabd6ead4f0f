#include "support/hostile_connection.h"

#include <arpa/inet.h>
#include <glog/logging.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/clock.h"

namespace proffer::testing {
namespace {

enum FrameType : char {
  kData = 0,
  kHeaders = 1,
  kReset = 3,
  kSettings = 4,
  kPing = 6,
  kWindow = 8,
  kMore = 9
};

in_port_t PortOf(const std::string& address) {
  return htons(static_cast<uint16_t>(std::atoi(address.substr(address.rfind(':') + 1).c_str())));
}

}  // namespace

HostileConnection::HostileConnection(const std::string& address) {
  int connected = 0;
  if (absl::StartsWith(address, "unix:")) {
    fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    const std::string path = address.substr(5);
    CHECK_LT(path.size(), sizeof(to.sun_path));
    std::memcpy(to.sun_path, path.c_str(), path.size() + 1);
    connected = connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof(to));
  } else if (absl::StartsWith(address, "[")) {
    fd_ = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    to.sin6_addr = in6addr_loopback;
    to.sin6_port = PortOf(address);
    connected = connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof(to));
  } else {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = PortOf(address);
    connected = connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof(to));
  }
  PCHECK(fd_ >= 0);
  PCHECK(connected == 0) << address;
}

HostileConnection::~HostileConnection() { close(fd_); }

bool HostileConnection::Send(absl::string_view bytes, int64_t patience_ms) {
  const timeval patience = {patience_ms / 1000, patience_ms % 1000 * 1000};
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

std::string HostileConnection::Read(int64_t timeout_ms) {
  pollfd wait = {fd_, POLLIN, 0};
  if (poll(&wait, 1, static_cast<int>(std::max<int64_t>(timeout_ms, 0))) != 1) return "";
  std::string bytes(1 << 16, '\0');
  const ssize_t got = recv(fd_, bytes.data(), bytes.size(), 0);
  bytes.resize(static_cast<size_t>(std::max<ssize_t>(got, 0)));
  return bytes;
}

bool HostileConnection::AwaitEnd(int64_t timeout_ms) {
  const Time give_up = BootTimeNow() + timeout_ms;
  while (BootTimeNow() < give_up) {
    pollfd wait = {fd_, POLLIN, 0};
    if (poll(&wait, 1, static_cast<int>(give_up - BootTimeNow())) != 1) return false;
    if (Read(0).empty()) return true;
  }
  return false;
}

int HostileConnection::CountEnds(int most, int64_t timeout_ms) {
  constexpr size_t kFrameHead = 9;
  const Time give_up = BootTimeNow() + timeout_ms;
  while (static_cast<int>(ended_.size()) < most) {
    const std::string more = Read(give_up - BootTimeNow());
    if (more.empty()) break;
    unread_ += more;
    size_t at = 0;
    while (unread_.size() >= at + kFrameHead) {
      const auto byte = [this, at](size_t i) { return static_cast<uint8_t>(unread_[at + i]); };
      const size_t length = byte(0) << 16 | byte(1) << 8 | byte(2);
      if (unread_.size() < at + kFrameHead + length) break;
      const bool last_headers = byte(3) == kHeaders && (byte(4) & 1) != 0;
      if (last_headers || byte(3) == kReset) {
        ended_.insert(static_cast<uint32_t>(byte(7) << 8 | byte(8)));
      }
      at += kFrameHead + length;
    }
    unread_.erase(0, at);
  }
  return static_cast<int>(ended_.size());
}

namespace http2 {
namespace {

constexpr char kEndStream = 1;
constexpr char kAck = 1;
constexpr char kEndHeaders = 4;
constexpr size_t kFrameBytes = 16384;

std::string Number(uint32_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(value >> (8 * i)));
  return out;
}

std::string Frame(FrameType type, char flags, uint32_t stream, absl::string_view payload) {
  std::string frame = Number(static_cast<uint32_t>(payload.size()), 3);
  frame.push_back(type);
  frame.push_back(flags);
  return absl::StrCat(frame, Number(stream, 4), payload);
}

// A length, as HPACK has it: seven bits, and the rest in sevens.
std::string Length(size_t value) {
  if (value < 127) return std::string(1, static_cast<char>(value));
  std::string out(1, 127);
  for (value -= 127; value >= 128; value >>= 7) {
    out.push_back(static_cast<char>(value % 128 + 128));
  }
  out.push_back(static_cast<char>(value));
  return out;
}

// Cut into frames of the most that a peer has to take.
std::string HeaderFrames(uint32_t stream, absl::string_view block) {
  std::string frames;
  for (size_t at = 0; at == 0 || at < block.size(); at += kFrameBytes) {
    const absl::string_view part = block.substr(at, kFrameBytes);
    const bool last = at + kFrameBytes >= block.size();
    absl::StrAppend(&frames,
                    Frame(at == 0 ? kHeaders : kMore, last ? kEndHeaders : '\0', stream, part));
  }
  return frames;
}

}  // namespace

std::string Greeting(uint32_t window) {
  return absl::StrCat("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                      Frame(kSettings, 0, 0, absl::StrCat(Number(4, 2), Number(window, 4))));
}

std::string WindowUpdate(uint32_t bytes) { return Frame(kWindow, 0, 0, Number(bytes, 4)); }

std::string Header(absl::string_view name, absl::string_view value) {
  // Literal, and not to be remembered.
  return absl::StrCat(absl::string_view("\0", 1), Length(name.size()), name, Length(value.size()),
                      value);
}

std::string Call(uint32_t stream, absl::string_view path, absl::string_view more) {
  return HeaderFrames(stream, absl::StrCat(Header(":method", "POST"), Header(":scheme", "http"),
                                           Header(":path", path), Header(":authority", "localhost"),
                                           Header("te", "trailers"),
                                           Header("content-type", "application/grpc"), more));
}

std::string Message(uint32_t stream, absl::string_view bytes, bool last) {
  const std::string whole = absl::StrCat(absl::string_view("\0", 1),
                                         Number(static_cast<uint32_t>(bytes.size()), 4), bytes);
  std::string frames;
  for (size_t at = 0; at < whole.size(); at += kFrameBytes) {
    const bool end = last && at + kFrameBytes >= whole.size();
    absl::StrAppend(&frames, Frame(kData, end ? kEndStream : '\0', stream,
                                   absl::string_view(whole).substr(at, kFrameBytes)));
  }
  return frames;
}

std::string Reset(uint32_t stream) { return Frame(kReset, 0, stream, Number(8, 4)); }
std::string Ping() { return Frame(kPing, 0, 0, std::string(8, 'x')); }
std::string EmptySettings() { return Frame(kSettings, 0, 0, ""); }
std::string SettingsTaken() { return Frame(kSettings, kAck, 0, ""); }

}  // namespace http2

}  // namespace proffer::testing
