// Hostile streams to a running master: readers that do not read, schedulers that do not answer,
// floods of calls, storms of subscriptions, and what is too large.
#include <atomic>
#include <thread>

#include "cluster/abuse_fixture.h"
#include "cluster/raw_peers.h"
#include "common/base/limits.h"
#include "common/convert/task.h"
#include "support/hostile_connection.h"

namespace proffer {
namespace {

using testing::AbuseFixture;
using ::testing::AllOf;
using testing::FromText;
using ::testing::HasSubstr;
using testing::HostileConnection;
using testing::RawScheduler;
namespace http2 = testing::http2;

constexpr char kConnect[] = "/proffer.v1.SchedulerService/Connect";
constexpr double kMib = 1024;
constexpr int kFrameworks = 1'500;

std::string Subscription(const std::string& name, const std::string& web_url = "") {
  auto call = FromText<v1::SchedulerCall>("call_id:1 subscribe{framework{roles:'web'}}");
  v1::Subscribe* subscribe = call.mutable_subscribe();
  convert::ToProto(model::ThisVersion(), subscribe->mutable_version());
  subscribe->mutable_framework()->set_name(name);
  subscribe->mutable_framework()->set_web_url(web_url);
  return call.SerializeAsString();
}

class AbuseStreams : public AbuseFixture {
 protected:
  static void SetUpTestSuite() {
    Begin({.agents = 1,
           .resources = "cpus:4;mem:1GiB",
           .master_flags = {"--patience_ms=1000", "--scheduler_heartbeat_ms=1000",
                            absl::StrCat("--max_frameworks=", kFrameworks)}});
  }

  // No stream of these connections is ever sent a byte that it was not asked for.
  static std::string GreetingWithoutWindow() {
    return http2::Greeting(/*window=*/0) + http2::SettingsTaken();
  }
  static void AwaitDisconnected(const std::string& name) {
    cluster_->WaitUntil(v1::FRAMEWORKS, [&name](const std::vector<v1::Object>& frameworks) {
      return std::any_of(
                 frameworks.begin(), frameworks.end(),
                 [&name](const v1::Object& object) { return object.framework().name() == name; }) &&
             std::none_of(frameworks.begin(), frameworks.end(), [&name](const v1::Object& object) {
               return object.framework().name() == name && object.framework().connected();
             });
    });
  }
};

TEST_F(AbuseStreams, ASchedulerThatTakesNothingIsCutOff) {
  Crowd crowd = Connect(20);
  for (auto& one : crowd) {
    EXPECT_TRUE(one->Send(GreetingWithoutWindow() + http2::Call(1, kConnect) +
                          http2::Message(1, Subscription("hoarder"))));
  }
  good_->ExpectServed();
  for (auto& one : crowd) EXPECT_EQ(one->CountEnds(1, 10'000), 1);
  AwaitDisconnected("hoarder");
}

TEST_F(AbuseStreams, AFloodOfCallsWhoseAnswersNobodyTakesIsCutOff) {
  HostileConnection one(address());
  one.Send(GreetingWithoutWindow() + http2::Call(1, kConnect) +
           http2::Message(1, Subscription("deaf")));
  auto call = FromText<v1::SchedulerCall>("kill{}");
  call.mutable_kill()->set_task_id(std::string(limits::kIdBytes, 'x'));
  // The answer repeats the id; some twenty thousand of them are not kept for anybody.
  for (int i = 2; i < 20'000; ++i) {
    call.set_call_id(i);
    if (!one.Send(http2::Message(1, call.SerializeAsString()), 1'000)) break;
  }
  good_->ExpectServed();
  ExpectMemoryBelow(100 * kMib);
  EXPECT_EQ(one.CountEnds(1, 10'000), 1);
  AwaitDisconnected("deaf");
}

TEST_F(AbuseStreams, AFloodOfCallsOnOneStreamDelaysNobodyElse) {
  RawScheduler flooder(address());
  flooder.Subscribe("flooder");
  // It floods; it does not keep what others wait for.
  flooder.AwaitOffer();
  flooder.Answer(flooder.Call("suppress{}"));
  flooder.Answer(flooder.Call("decline{offer_ids{OFFER} refuse_ms:3600000}"));
  std::atomic<bool> served = false;
  std::thread good([&served] {
    for (int i = 0; i < 5; ++i) good_->ExpectServed();
    served = true;
  });
  int calls = 0;
  while (!served || calls < 2'000) {
    uint64_t last = 0;
    for (int i = 0; i < 100; ++i, ++calls) last = flooder.Call("suppress{}");
    const v1::CallResult result = flooder.Answer(last);
    if (result.items_size() != 1) break;  // It has said why.
    EXPECT_EQ(result.items(0).refusal(), v1::REFUSAL_UNSPECIFIED);
  }
  good.join();
  flooder.TearDown();
}

TEST_F(AbuseStreams, ASchedulerThatAnswersNoHeartbeatIsCutOff) {
  RawScheduler silent(address());
  silent.Subscribe("silent");
  AwaitDisconnected("silent");
  const v1::StreamError error = silent.AwaitError();
  EXPECT_EQ(error.refusal(), v1::TOO_SLOW) << error.ShortDebugString();
  EXPECT_THAT(error.message(),
              AllOf(HasSubstr("no answer to a heartbeat"), HasSubstr("subscribe again")));
}

TEST_F(AbuseStreams, WatchersThatTakeNothingAreCutOff) {
  Crowd crowd = Connect(9);
  for (auto& one : crowd) {
    std::string bytes = GreetingWithoutWindow();
    for (uint32_t i = 0; i < 100; ++i) {
      bytes += http2::Call(2 * i + 1, "/proffer.v1.OperatorService/Watch") +
               http2::Message(2 * i + 1, "", /*last=*/true);
    }
    EXPECT_TRUE(one->Send(bytes));
  }
  good_->ExpectServed();
  ExpectMemoryBelow(150 * kMib);
  for (auto& one : crowd) EXPECT_EQ(one->CountEnds(100, 10'000), 100);
}

TEST_F(AbuseStreams, MoreWatchersThanThereMayBeAreRefused) {
  Crowd crowd = Connect(10);
  for (auto& one : crowd) {
    std::string bytes =
        http2::Greeting(1 << 30) + http2::SettingsTaken() + http2::WindowUpdate(1 << 30);
    for (uint32_t i = 0; i < 100; ++i) {
      bytes += http2::Call(2 * i + 1, "/proffer.v1.OperatorService/Watch") +
               http2::Message(2 * i + 1, "", /*last=*/true);
    }
    EXPECT_TRUE(one->Send(bytes));
  }
  // Of these thousand and the good one, one is too many.
  int refused = 0;
  for (auto& one : crowd) refused += one->CountEnds(1, 200);
  EXPECT_GE(refused, 1);
  grpc::ClientContext context;
  context.set_deadline(rpc::DeadlineIn(10'000));
  const auto stub = v1::OperatorService::NewStub(rpc::MakeChannel({address(), true}));
  const auto reader = stub->Watch(&context, v1::WatchRequest());
  v1::WatchEvent event;
  EXPECT_FALSE(reader->Read(&event));
  const grpc::Status status = reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("readers watch already"));
  good_->ExpectServed();
}

TEST_F(AbuseStreams, AReaderOfLogsThatTakesNothingIsCutOff) {
  auto framework = Framework::Start(
      {.name = "writer", .master = address(), .state_store = std::make_shared<MemoryStateStore>()});
  ASSERT_TRUE(framework.ok()) << framework.status();
  const proffer::Run run =
      (*framework)->Submit(Task{"writer"}.Command("yes | head -c 8000000").Cpus(0.1).Mem(32_MiB));
  ASSERT_TRUE(run.Wait().ok()) << run.Wait().message;
  v1::ReadLogsRequest request;
  request.set_framework_id((*framework)->framework_id());
  request.set_task_id("writer");
  Crowd crowd = Connect(5);
  for (auto& one : crowd) {
    std::string bytes = GreetingWithoutWindow();
    for (uint32_t i = 0; i < 20; ++i) {
      bytes += http2::Call(2 * i + 1, "/proffer.v1.OperatorService/ReadLogs") +
               http2::Message(2 * i + 1, request.SerializeAsString(), /*last=*/true);
    }
    EXPECT_TRUE(one->Send(bytes));
  }
  good_->ExpectServed();
  ExpectMemoryBelow(300 * kMib);
  for (auto& one : crowd) EXPECT_EQ(one->CountEnds(20, 10'000), 20);
  // Who reads is read to.
  const auto out = run.Wait().Stdout(1 << 20);
  EXPECT_TRUE(out.ok()) << out.status();
}

TEST_F(AbuseStreams, DescriptionsThatAreTooLargeAreRefusedWithASentence) {
  RawScheduler scheduler(address());
  scheduler.Subscribe("verbose");
  const std::string labels =
      absl::StrCat("labels{key:'k' value:'", std::string(limits::kCommandBytes, 'x'), "'}");
  v1::CallResult result = scheduler.Answer(scheduler.Call(absl::StrCat(
      "accept{offer_ids{OFFER} tasks{task_id:'t' resources{name:'cpus' scalar:100} payload{",
      labels, "}}}")));
  EXPECT_EQ(result.items(0).refusal(), v1::INVALID);
  EXPECT_THAT(result.items(0).message(),
              AllOf(HasSubstr(absl::StrCat("at most ", limits::kCommandBytes)),
                    HasSubstr("put large input into a file")));
  std::string demands;
  for (int i = 0; i < limits::kDemandShapes; ++i) {
    absl::StrAppend(&demands, "demands{role:'web' shape{key:'cpus' value:1} count:1 ");
    for (int k = 0; k < 8; ++k) {
      absl::StrAppend(&demands, "constraints{fact:'rack' test:EQUALS values:'",
                      std::string(1'000, 'x'), "'}");
    }
    demands += "}";
  }
  result =
      scheduler.Answer(scheduler.Call(absl::StrCat("set_demand{declared:true ", demands, "}")));
  EXPECT_EQ(result.items(0).refusal(), v1::INVALID);
  EXPECT_THAT(result.items(0).message(),
              AllOf(HasSubstr(absl::StrCat("at most ", limits::kDemandBytes)),
                    HasSubstr("fewer constraints")));
  scheduler.TearDown();
}

// Each of them is a new framework that would be known for a week, and tells as much of itself as it
// may.
TEST_F(AbuseStreams, AStormOfNewFrameworksLeavesRoomForOthers) {
  const std::string subscription = Subscription("storm", std::string(4'096, 'x'));
  for (int connection = 0; connection < 4; ++connection) {
    HostileConnection one(address());
    one.Send(http2::Greeting(1 << 30) + http2::SettingsTaken() + http2::WindowUpdate(1 << 30));
    for (uint32_t i = 0; i < kFrameworks / 2; ++i) {
      const uint32_t stream = 2 * i + 1;
      if (!one.Send(http2::Call(stream, kConnect) +
                    http2::Message(stream, subscription, /*last=*/true))) {
        break;
      }
      // At most a hundred at a time.
      const int ends = i % 50 == 49 ? static_cast<int>(i) + 1 : 0;
      EXPECT_GE(one.CountEnds(ends, 10'000), ends);
    }
    good_->ExpectServed();
  }
  // More than fits into a message; each page does.
  const std::vector<v1::Object> frameworks = cluster_->List(v1::FRAMEWORKS);
  EXPECT_GE(frameworks.size(), kFrameworks * 8 / 10);
  EXPECT_LE(frameworks.size(), kFrameworks);
}

}  // namespace
}  // namespace proffer
