// What a server does to the connections that it takes over TCP.
#include "common/rpc/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "common/rpc/server_stream.h"
#include "proffer/v1/scheduler.grpc.pb.h"
#include "support/hostile_connection.h"

namespace proffer::rpc {
namespace {

using testing::HostileConnection;
namespace http2 = testing::http2;

constexpr char kConnect[] = "/proffer.v1.SchedulerService/Connect";

// Takes whatever is said, and says nothing.
class Listener final : public v1::SchedulerService::CallbackService {
 public:
  grpc::ServerBidiReactor<v1::SchedulerCall, v1::SchedulerEvent>* Connect(
      grpc::CallbackServerContext* context) override {
    const auto stream = ServerStream<v1::SchedulerCall, v1::SchedulerEvent>::Make(
        context, [](const v1::SchedulerCall&) {}, [] {});
    stream->Begin();
    return stream.get();
  }
};

class ServerTest : public ::testing::Test {
 protected:
  std::string Start(const std::string& address) {
    auto listeners = Listen({{address, false}});
    if (!listeners.ok()) return "";
    auto server = Server::Start(*std::move(listeners), {&service_});
    if (!server.ok()) return "";
    server_ = *std::move(server);
    return server_->addresses().front().target;
  }

  Listener service_;
  std::unique_ptr<Server> server_;
};

int PortOf(const sockaddr_in& address) { return ntohs(address.sin_port); }

// The descriptor, among our own, on which that port is served to that peer.
std::optional<int> ServedOn(int port) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(entry.path().filename());
    sockaddr_in own{};
    sockaddr_in peer{};
    socklen_t own_size = sizeof(own);
    socklen_t peer_size = sizeof(peer);
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&own), &own_size) == 0 &&
        getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_size) == 0 &&
        own.sin_family == AF_INET && PortOf(own) == port) {
      return fd;
    }
  }
  return std::nullopt;
}

// Else small messages wait until the peer has acknowledged the last ones, 40 ms mostly.
TEST_F(ServerTest, SmallMessagesOverTcpDoNotWait) {
  const std::string address = Start("127.0.0.1:0");
  ASSERT_NE(address, "");
  HostileConnection one(address);
  // The server's first word comes once it has the connection in its hands.
  ASSERT_TRUE(one.Send(http2::Greeting()));
  ASSERT_NE(one.Read(10'000), "");
  const std::optional<int> fd = ServedOn(std::stoi(address.substr(address.rfind(':') + 1)));
  ASSERT_TRUE(fd.has_value());
  int no_delay = 0;
  socklen_t size = sizeof(no_delay);
  ASSERT_EQ(getsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &size), 0);
  EXPECT_NE(no_delay, 0);
}

// Also that we call connections as gRPC does.
TEST_F(ServerTest, WhoeverOpensStreamsAndResetsThemIsHungUpOn) {
  for (const char* any : {"127.0.0.1:0", "[::1]:0"}) {
    const std::string address = Start(any);
    if (address.empty()) continue;  // A machine without IPv6.
    HostileConnection modest(address);
    HostileConnection storm(address);
    const std::string greeting = http2::Greeting() + http2::SettingsTaken();
    ASSERT_TRUE(modest.Send(greeting));
    std::string bytes = greeting;
    for (uint32_t i = 0; i < limits::kStreamsOpened + 100; ++i) {
      bytes += http2::Call(2 * i + 1, kConnect) + http2::Reset(2 * i + 1);
    }
    storm.Send(bytes);
    EXPECT_TRUE(storm.AwaitEnd(10'000)) << any;
    std::string many;
    for (uint32_t i = 0; i < 100; ++i) {
      many += http2::Call(2 * i + 1, kConnect) + http2::Message(2 * i + 1, "", /*last=*/true);
    }
    EXPECT_TRUE(modest.Send(many)) << any;
    EXPECT_EQ(modest.CountEnds(100, 10'000), 100) << any;
  }
}

}  // namespace
}  // namespace proffer::rpc
