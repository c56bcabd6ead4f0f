// The streams that a process serves, with those that their peer has reset but gRPC's threads have
// not come to yet, by connection: gRPC itself puts no bound to how many a client opens and resets.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace proffer::rpc {

// One of them, for as long as it lives. THREAD: any.
class LiveStream {
 public:
  // Called with the connection that opens streams faster than limits::kStreamsOpened and
  // kStreamsOpenedPerSecond say, on the thread that opens one.
  using OnStorm = std::function<void(const std::string& connection)>;

  // `connection` as gRPC names it: "ipv4:127.0.0.1:4711"; all of unix sockets are "unix:", and as
  // it is not known which of them it is, there are no storms of these.
  explicit LiveStream(const std::string& connection);
  ~LiveStream();
  LiveStream(const LiveStream&) = delete;
  LiveStream& operator=(const LiveStream&) = delete;

  // As long as what is returned is kept.
  static std::shared_ptr<const OnStorm> Watch(OnStorm on_storm);
  // Of all connections.
  static int64_t Count() { return count_; }

 private:
  static inline std::atomic<int64_t> count_ = 0;
  const std::string connection_;
};

}  // namespace proffer::rpc
