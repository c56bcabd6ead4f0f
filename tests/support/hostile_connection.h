// A connection that no client library would make: bytes as they come, HTTP/2 frame by frame, and
// nobody who reads what is answered.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "absl/strings/string_view.h"

namespace proffer::testing {

class HostileConnection {
 public:
  // `address`: "unix:/path" or "127.0.0.1:port".
  explicit HostileConnection(const std::string& address);
  ~HostileConnection();
  HostileConnection(const HostileConnection&) = delete;
  HostileConnection& operator=(const HostileConnection&) = delete;

  // False when the other side has hung up, or takes nothing for that long.
  bool Send(absl::string_view bytes, int64_t patience_ms = 5'000);
  // Reads, and throws away, until the other side hangs up. False: it has not within the time.
  bool AwaitEnd(int64_t timeout_ms);
  // Reads until so many streams have ended, by their last headers or by a reset; how many have.
  int CountEnds(int most, int64_t timeout_ms);
  // Reads what is there, waiting for the first of it. Empty: hung up, or the time is up.
  std::string Read(int64_t timeout_ms);

 private:
  int fd_ = -1;
  std::set<uint32_t> ended_;
  std::string unread_;  // The beginning of a frame whose rest has not come.
};

// Frames of HTTP/2.
namespace http2 {

// What every client begins with. `window`: how much each stream may be sent unasked.
std::string Greeting(uint32_t window = 65535);
// Lets the connection as a whole be sent so much more.
std::string WindowUpdate(uint32_t bytes);
// A gRPC call of that method; `more` is made by Header.
std::string Call(uint32_t stream, absl::string_view path, absl::string_view more = "");
std::string Header(absl::string_view name, absl::string_view value);
// A gRPC message; `last`: the client has no other.
std::string Message(uint32_t stream, absl::string_view bytes, bool last = false);
std::string Reset(uint32_t stream);
std::string Ping();
std::string EmptySettings();
// The acknowledgement of the other side's settings.
std::string SettingsTaken();

}  // namespace http2

}  // namespace proffer::testing
