// How many streams of servers there are in this process, with those that their peer has reset but
// gRPC's threads have not come to yet: gRPC itself puts no bound to these.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace proffer::rpc {

// One of them, for as long as it lives. THREAD: any.
class LiveStream {
 public:
  // `connection` as gRPC names it: "ipv4:127.0.0.1:4711"; all of unix sockets are "unix:".
  explicit LiveStream(const std::string& connection);
  ~LiveStream();
  LiveStream(const LiveStream&) = delete;
  LiveStream& operator=(const LiveStream&) = delete;

  static int64_t Count() { return count_; }
  // The connections that have more than `most`.
  static std::vector<std::string> ConnectionsWithMoreThan(int64_t most);

 private:
  static inline std::atomic<int64_t> count_ = 0;
  const std::string connection_;
};

}  // namespace proffer::rpc
