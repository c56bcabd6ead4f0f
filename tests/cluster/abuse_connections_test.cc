// Hostile connections to a running master, before any call is made: too many, silent, half open,
// and full of what is no HTTP/2. Whoever is good goes on being served, and nothing is left.
#include <sys/wait.h>

#include <cstdlib>

#include "absl/strings/str_join.h"
#include "cluster/abuse_fixture.h"
#include "cluster/raw_peers.h"
#include "common/base/limits.h"
#include "common/base/prng.h"
#include "support/hostile_connection.h"

namespace proffer {
namespace {

using testing::AbuseFixture;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::HostileConnection;
using testing::MiniCluster;
namespace http2 = testing::http2;

constexpr char kConnect[] = "/proffer.v1.SchedulerService/Connect";
constexpr double kMib = 1024;

class AbuseConnections : public AbuseFixture {
 protected:
  static void SetUpTestSuite() {
    Begin({.agents = 1,
           .resources = "cpus:4;mem:1GiB",
           .master_flags = {"--patience_ms=1000", "--idle_connection_ms=2000"}});
  }
};

TEST_F(AbuseConnections, WhoeverConnectsAndSaysNothingIsHungUpOn) {
  Crowd crowd = Connect(2'000);
  good_->ExpectServed();
  ExpectMemoryBelow(100 * kMib);
  ExpectHungUpOn(&crowd);
}

TEST_F(AbuseConnections, WhoeverGreetsAndCallsNothingIsHungUpOn) {
  Crowd crowd = Connect(1'000);
  for (auto& one : crowd) EXPECT_TRUE(one->Send(http2::Greeting() + http2::SettingsTaken()));
  good_->ExpectServed();
  ExpectMemoryBelow(100 * kMib);
  ExpectHungUpOn(&crowd);
}

TEST_F(AbuseConnections, AStreamThatSaysNothingEndsWithASentence) {
  // By hand, a hundred a connection, and by a client that hears how it ends.
  Crowd crowd = Connect(20);
  for (auto& one : crowd) {
    std::string bytes = http2::Greeting() + http2::SettingsTaken();
    for (uint32_t i = 0; i < 100; ++i) bytes += http2::Call(2 * i + 1, kConnect);
    EXPECT_TRUE(one->Send(bytes));
  }
  testing::RawScheduler scheduler(address());
  good_->ExpectServed();
  const grpc::Status status = scheduler.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_THAT(status.error_message(), HasSubstr("expected a first message"));
  for (auto& one : crowd) EXPECT_EQ(one->CountEnds(100, 10'000), 100);
}

TEST_F(AbuseConnections, HeadersBeyondTheLimitAreRefused) {
  for (const size_t bytes : {size_t{limits::kMetadataBytes} + 1, size_t{100'000}}) {
    const auto stub = v1::OperatorService::NewStub(rpc::MakeChannel({address(), true}));
    grpc::ClientContext context;
    context.set_deadline(rpc::DeadlineIn(10'000));
    context.AddMetadata("x", std::string(bytes, 'a'));
    v1::Cluster cluster;
    const grpc::Status status = stub->GetCluster(&context, v1::GetClusterRequest(), &cluster);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
    EXPECT_THAT(status.error_message(), HasSubstr("metadata"));
  }
  std::string many;
  for (int i = 0; i < 100'000; ++i) {
    absl::StrAppend(&many, http2::Header(absl::StrCat("x", i), "a"));
  }
  // Whether all of it is taken or not.
  const std::string greeting = http2::Greeting() + http2::SettingsTaken();
  HostileConnection one(address());
  one.Send(greeting + http2::Call(1, kConnect, many));
  HostileConnection other(address());
  other.Send(greeting + http2::Call(1, kConnect, http2::Header("x", std::string(16 << 20, 'a'))));
  good_->ExpectServed();
  ExpectMemoryBelow(100 * kMib);
}

TEST_F(AbuseConnections, BytesThatAreNoProtocolEndTheirConnectionOnly) {
  Prng prng(11);
  for (int round = 0; round < 200; ++round) {
    std::string bytes = round % 2 == 0 ? "" : http2::Greeting();
    // Never the frames of a greeting by chance: their first byte says 16 MiB.
    bytes += '\xFF';
    for (uint64_t i = prng.Below(2'000) + 9; i > 0; --i) {
      bytes.push_back(static_cast<char>(prng.Below(256)));
    }
    HostileConnection one(address());
    one.Send(bytes);
    EXPECT_TRUE(one.AwaitEnd(10'000)) << "round " << round;
  }
  good_->ExpectServed();
}

TEST_F(AbuseConnections, AFloodOfPingsAndSettingsIsCut) {
  for (const std::string& frame : {http2::Ping(), http2::EmptySettings()}) {
    std::string many;
    for (int i = 0; i < 10'000; ++i) many += frame;
    HostileConnection one(address());
    EXPECT_TRUE(one.Send(http2::Greeting() + http2::SettingsTaken()));
    // Nobody reads the answers; so at some time no more is taken, or the connection is over.
    bool taken = true;
    for (int round = 0; round < 100 && taken; ++round) taken = one.Send(many, 500);
    EXPECT_FALSE(taken);
    good_->ExpectServed();
    ExpectMemoryBelow(300 * kMib);
  }
}

TEST_F(AbuseConnections, MessagesThatNeverEndDoNotPileUp) {
  Crowd crowd = Connect(20);
  for (auto& one : crowd) {
    std::string bytes = http2::Greeting() + http2::SettingsTaken();
    for (uint32_t i = 0; i < 100; ++i) {
      // A message of 4 MB, of which the first 60 kB come.
      std::string whole = http2::Message(2 * i + 1, std::string(limits::kMessageBytes, 'x'));
      bytes += http2::Call(2 * i + 1, kConnect) + whole.substr(0, 60'000 / 16'393 * 16'393);
    }
    one->Send(bytes);
  }
  good_->ExpectServed();
  ExpectMemoryBelow(200 * kMib);
  for (auto& one : crowd) one->CountEnds(100, 10'000);
}

// --- With few descriptors ---

class AbuseDescriptors : public AbuseFixture {
 protected:
  static constexpr int kDescriptors = 160;
  static constexpr int kPlaces = kDescriptors * 3 / 4;

  static void SetUpTestSuite() {
    Begin({.agents = 1,
           .resources = "cpus:4;mem:1GiB",
           .master_flags = {"--patience_ms=600000"},  // So that nothing but the limit helps.
           .master_descriptors = kDescriptors});
  }

  // As another process, which has a share of its own.
  static int List() {
    const std::string command = absl::StrCat(
        PROFFER_BINARY_DIR, "/bin/proffer --master=", address(), " ls agents >/dev/null");
    return std::system(command.c_str());
  }
};

TEST_F(AbuseDescriptors, OneProcessCannotTakeAllPlaces) {
  Crowd crowd = Connect(3 * kDescriptors);
  EXPECT_EQ(List(), 0) << "another process cannot connect";
  good_->ExpectServed();
  // Those that were not taken are told why.
  const std::string words = crowd.back()->Read(10'000);
  EXPECT_THAT(words, AllOf(HasSubstr("connections"), HasSubstr("use one connection for many")));
  EXPECT_TRUE(crowd.back()->AwaitEnd(10'000));
  EXPECT_LE(testing::OpenDescriptors(master()), kDescriptors);
}

TEST_F(AbuseDescriptors, WhenTheFloodIsOverNewConnectionsAreTakenAgain) {
  for (int round = 0; round < 3; ++round) Connect(10 * kDescriptors);
  AwaitDescriptors(descriptors_ + kDescriptorsOfOurs, 20'000);
  // Also of the process that flooded.
  const auto stub = v1::OperatorService::NewStub(rpc::MakeChannel({address(), true}));
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(rpc::DeadlineIn(10'000));
  v1::Cluster cluster;
  const grpc::Status status = stub->GetCluster(&context, v1::GetClusterRequest(), &cluster);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(List(), 0);
}

// Several processes, each with its share: all places are taken, and no descriptor too many.
TEST_F(AbuseDescriptors, AllPlacesTakenIsNotTheEnd) {
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      const Crowd crowd = Connect(kPlaces);
      pause();
      _exit(0);
    }
    children.push_back(child);
  }
  // The kernel tells nobody when another process has opened something.
  const Time give_up = BootTimeNow() + 20'000;
  while (testing::OpenDescriptors(master()) < kPlaces && BootTimeNow() < give_up) usleep(10'000);
  EXPECT_GE(testing::OpenDescriptors(master()), kPlaces);
  good_->ExpectServed();
  EXPECT_LE(testing::OpenDescriptors(master()), kDescriptors);
  for (const pid_t child : children) {
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
  AwaitDescriptors(descriptors_ + kDescriptorsOfOurs, 20'000);
  EXPECT_EQ(List(), 0);
}

}  // namespace
}  // namespace proffer
