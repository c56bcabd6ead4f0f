// Both ends of a stream over a unix socket, with the scheduler service as an echo: a call with an
// id is answered by a result with that id.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/limits.h"
#include "common/base/mutex.h"
#include "common/base/prng.h"
#include "common/rpc/channel.h"
#include "common/rpc/client_stream.h"
#include "common/rpc/server.h"
#include "common/rpc/server_stream.h"
#include "proffer/v1/scheduler.grpc.pb.h"
#include "unit/rpc/directory.h"

namespace proffer::rpc {
namespace {

using ServerSide = ServerStream<v1::SchedulerCall, v1::SchedulerEvent>;
using ClientSide = ClientStream<v1::SchedulerCall, v1::SchedulerEvent>;

// Something that is waited for, however long it takes.
template <typename T>
class Slot {
 public:
  void Set(T value) {
    MutexLock lock(&mutex_);
    value_ = std::move(value);
    changed_.SignalAll();
  }
  void Update(const std::function<void(T*)>& change) {
    MutexLock lock(&mutex_);
    change(&value_);
    changed_.SignalAll();
  }
  // False after a minute.
  bool Await(const std::function<bool(const T&)>& wanted) {
    MutexLock lock(&mutex_);
    while (!wanted(value_)) {
      if (!changed_.WaitFor(&mutex_, 60'000) && !wanted(value_)) return false;
    }
    return true;
  }
  T Get() {
    MutexLock lock(&mutex_);
    return value_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  T value_{};
};

// What a test wants to do with each call. The newest stream is kept.
class Service final : public v1::SchedulerService::CallbackService {
 public:
  using OnCall = std::function<void(ServerSide&, const v1::SchedulerCall&)>;
  explicit Service(OnCall on_call) : on_call_(std::move(on_call)) {}

  grpc::ServerBidiReactor<v1::SchedulerCall, v1::SchedulerEvent>* Connect(
      grpc::CallbackServerContext* context) override {
    auto slot = std::make_shared<ServerSide*>();
    ServerSide::Pointer made = ServerSide::Make(
        context,
        [this, slot](const v1::SchedulerCall& call) {
          calls.Update([](int* n) { ++*n; });
          on_call_(**slot, call);
        },
        [this] {
          stream.Set(nullptr);
          closed.Update([](int* n) { ++*n; });
        });
    *slot = made.get();
    stream.Set(made);
    made->Begin();
    return made.get();
  }

  Slot<ServerSide::Pointer> stream;
  Slot<int> calls;   // Read so far.
  Slot<int> closed;  // Streams that ended.

 private:
  const OnCall on_call_;
};

v1::SchedulerEvent Result(uint64_t id, size_t padding = 0) {
  v1::SchedulerEvent event;
  event.mutable_result()->set_call_id(id);
  if (padding > 0) event.mutable_result()->add_items()->set_message(std::string(padding, 'x'));
  return event;
}

v1::SchedulerCall Call(uint64_t id) {
  v1::SchedulerCall call;
  call.set_call_id(id);
  return call;
}

// A server with that service, and a client of it.
struct Stage {
  explicit Stage(Service::OnCall on_call) : service(std::move(on_call)) {
    auto started = Server::Start({address}, {&service});
    EXPECT_TRUE(started.ok()) << started.status();
    server = *std::move(started);
    stub = v1::SchedulerService::NewStub(MakeChannel(address));
  }
  ClientSide::Pointer Open(std::function<void(const v1::SchedulerEvent&)> on_event = {}) {
    return ClientSide::Open(
        [this](grpc::ClientContext* context, ClientSide* reactor) {
          stub->async()->Connect(context, reactor);
        },
        [this, on_event](const v1::SchedulerEvent& event) {
          events.Update([&](auto* list) { list->push_back(event.result().call_id()); });
          if (on_event) on_event(event);
        },
        [this](const grpc::Status& status, const std::vector<Address>&) {
          ended.Set(std::make_shared<const grpc::Status>(status));
        });
  }
  bool AwaitEnd() {
    return ended.Await([](const auto& status) { return status != nullptr; });
  }

  Directory directory;
  Address address{"unix:" + (directory / "socket"), true};
  Service service;
  std::unique_ptr<Server> server;
  std::unique_ptr<v1::SchedulerService::Stub> stub;
  Slot<std::vector<uint64_t>> events;
  Slot<std::shared_ptr<const grpc::Status>> ended;
};

void Echo(ServerSide& stream, const v1::SchedulerCall& call) {
  stream.Send(Result(call.call_id()));
  stream.Taken(0);
}

TEST(StreamTest, MessagesArriveInOrderBothWays) {
  Stage stage(Echo);
  const ClientSide::Pointer client = stage.Open();
  std::vector<uint64_t> expected;
  for (uint64_t id = 1; id <= 1'000; ++id) {
    ASSERT_TRUE(client->Send(Call(id)));
    expected.push_back(id);
  }
  ASSERT_TRUE(stage.events.Await([](const auto& list) { return list.size() == 1'000; }));
  EXPECT_EQ(stage.events.Get(), expected);
  client->Cancel();
  ASSERT_TRUE(stage.AwaitEnd());
  EXPECT_TRUE(stage.service.closed.Await([](int n) { return n == 1; }));
  EXPECT_FALSE(client->Send(Call(1)));
}

TEST(StreamTest, TheStreamClosesBehindTheLastMessage) {
  Stage stage([](ServerSide& stream, const v1::SchedulerCall&) {
    stream.Send(Result(1));
    stream.Send(Result(2), /*last=*/true);
    stream.Send(Result(3));  // Too late.
  });
  const ClientSide::Pointer client = stage.Open();
  ASSERT_TRUE(client->Send(Call(1)));
  ASSERT_TRUE(stage.AwaitEnd());
  EXPECT_TRUE(stage.ended.Get()->ok());
  EXPECT_EQ(stage.events.Get(), (std::vector<uint64_t>{1, 2}));
}

TEST(StreamTest, AStatusOfCloseArrivesBehindWhatWasQueued) {
  Stage stage([](ServerSide& stream, const v1::SchedulerCall&) {
    for (uint64_t id = 1; id <= 50; ++id) stream.Send(Result(id));
    stream.Close(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "busy"));
  });
  const ClientSide::Pointer client = stage.Open();
  ASSERT_TRUE(client->Send(Call(1)));
  ASSERT_TRUE(stage.AwaitEnd());
  EXPECT_EQ(stage.ended.Get()->error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(stage.events.Get().size(), 50u);
}

// A core that does not take events in is not fed any further.
TEST(StreamTest, ReadsPauseAtAFewUntakenAndGoOnWhenTheyAreTaken) {
  Stage stage([](ServerSide&, const v1::SchedulerCall&) {});
  const ClientSide::Pointer client = stage.Open();
  for (uint64_t id = 1; id <= 200; ++id) ASSERT_TRUE(client->Send(Call(id)));
  ASSERT_TRUE(stage.service.calls.Await([](int n) { return n == limits::kUnreadEventsPerStream; }));
  const ServerSide::Pointer server = stage.service.stream.Get();
  // Above the half nothing is read; with one fewer than the half the reading goes on.
  for (int i = 0; i < limits::kUnreadEventsPerStream / 2; ++i) server->Taken(0);
  EXPECT_EQ(stage.service.calls.Get(), limits::kUnreadEventsPerStream);
  server->Taken(0);
  const int then = limits::kUnreadEventsPerStream * 3 / 2 + 1;
  ASSERT_TRUE(stage.service.calls.Await([&](int n) { return n == then; }));
  // A core that takes whatever it is given gets everything.
  for (int taken = limits::kUnreadEventsPerStream / 2 + 1; taken < 200; ++taken) {
    ASSERT_TRUE(stage.service.calls.Await([&](int n) { return n > taken; }));
    server->Taken(0);
  }
  client->Cancel();
  ASSERT_TRUE(stage.service.closed.Await([](int n) { return n == 1; }));
}

// The core takes what it had been given even after the peer has gone.
TEST(StreamTest, TakingAfterTheEndDoesNoHarm) {
  Stage stage([](ServerSide&, const v1::SchedulerCall&) {});
  for (int round = 0; round < 20; ++round) {
    stage.service.calls.Set(0);
    stage.ended.Set(nullptr);
    const ClientSide::Pointer client = stage.Open();
    for (uint64_t id = 1; id <= 100; ++id) ASSERT_TRUE(client->Send(Call(id)));
    ASSERT_TRUE(
        stage.service.calls.Await([](int n) { return n == limits::kUnreadEventsPerStream; }));
    const ServerSide::Pointer server = stage.service.stream.Get();
    ASSERT_NE(server, nullptr);
    client->Cancel();
    if (round % 2 == 0) {
      ASSERT_TRUE(stage.service.closed.Await([&](int n) { return n == round + 1; }));
    }
    for (int i = 0; i < limits::kUnreadEventsPerStream; ++i) server->Taken(0);
    ASSERT_TRUE(stage.service.closed.Await([&](int n) { return n == round + 1; }));
    ASSERT_TRUE(stage.AwaitEnd());
  }
}

TEST(StreamTest, APeerThatDoesNotTakeItsMessagesIsCutOff) {
  Slot<bool> blocked;
  Slot<bool> go_on;
  Stage stage([](ServerSide& stream, const v1::SchedulerCall&) {
    // 64 KiB each: far more than any buffer on the way, and than the writer's bound.
    for (uint64_t id = 1; id <= 1'000; ++id) stream.Send(Result(id, 64 << 10));
  });
  const ClientSide::Pointer client = stage.Open([&](const v1::SchedulerEvent&) {
    blocked.Set(true);
    go_on.Await([](bool go) { return go; });
  });
  ASSERT_TRUE(client->Send(Call(1)));
  ASSERT_TRUE(blocked.Await([](bool is) { return is; }));
  // Its stream ends although it still reads nothing.
  EXPECT_TRUE(stage.service.closed.Await([](int n) { return n == 1; }));
  go_on.Set(true);
  ASSERT_TRUE(stage.AwaitEnd());
  EXPECT_FALSE(stage.ended.Get()->ok());
  EXPECT_LT(stage.events.Get().size(), 1'000u);
}

TEST(StreamTest, GarbageOnTheSocketHarmsNobodyElse) {
  Stage stage(Echo);
  const ClientSide::Pointer client = stage.Open();
  Prng prng(3);
  for (int round = 0; round < 50; ++round) {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = stage.directory / "socket";
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    ASSERT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    // Some of it begins as HTTP/2 should.
    std::string bytes = round % 2 == 0 ? "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" : "";
    for (int i = 0; i < 2'000; ++i) bytes.push_back(static_cast<char>(prng.Below(256)));
    send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    close(fd);
    ASSERT_TRUE(client->Send(Call(round + 1)));
    ASSERT_TRUE(stage.events.Await(
        [&](const auto& list) { return list.size() == static_cast<size_t>(round) + 1; }));
  }
  client->Cancel();
  ASSERT_TRUE(stage.AwaitEnd());
}

TEST(StreamTest, AnOversizedMessageEndsItsOwnStreamOnly) {
  Stage stage(Echo);
  const ClientSide::Pointer client = stage.Open();
  v1::SchedulerCall large = Call(1);
  large.mutable_kill()->set_task_id(std::string(limits::kMessageBytes + 1, 'x'));
  ASSERT_TRUE(client->Send(std::move(large)));
  ASSERT_TRUE(stage.AwaitEnd());
  EXPECT_EQ(stage.ended.Get()->error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED)
      << stage.ended.Get()->error_message();
  EXPECT_EQ(stage.service.calls.Get(), 0);
  const ClientSide::Pointer next = stage.Open();
  ASSERT_TRUE(next->Send(Call(2)));
  EXPECT_TRUE(stage.events.Await([](const auto& list) { return list.size() == 1; }));
  stage.ended.Set(nullptr);
  next->Cancel();
  ASSERT_TRUE(stage.AwaitEnd());
}

}  // namespace
}  // namespace proffer::rpc
