// Hostile connections to a running master.
#include <sys/socket.h>

#include "cluster/abuse_fixture.h"
#include "cluster/raw_peers.h"
#include "common/base/limits.h"
#include "common/base/prng.h"
#include "support/hostile_connection.h"

namespace proffer {
namespace {

using testing::HostileConnection;

class AbuseConnections : public testing::AbuseFixture {
 protected:
  static void SetUpTestSuite() { Begin({.agents = 1, .resources = "cpus:4;mem:1GiB", .master_flags = {"--patience_ms=1000", "--idle_connection_ms=3000"}}); }
  using Crowd = std::vector<std::unique_ptr<HostileConnection>>;
  static Crowd Connect(int count) {
    Crowd crowd;
    for (int i = 0; i < count; ++i) crowd.push_back(std::make_unique<HostileConnection>(address()));
    return crowd;
  }
  void Say(const char* what) {
    std::fprintf(stderr, "%s: fds %d (of %d) rss %+.0f KiB\n", what, testing::OpenDescriptors(master()), descriptors_,
                 testing::ResidentKib(master()) - resident_kib_);
  }
};

TEST_F(AbuseConnections, Silent) {
  Crowd crowd = Connect(2000);
  Say("2000");
  good_->ExpectServed();
  for (auto& one : crowd) if (!one->AwaitEnd(10000)) { ADD_FAILURE(); break; }
  Say("after 10 s");
  crowd.clear();
}

TEST_F(AbuseConnections, Greeted) {
  Crowd crowd = Connect(2000);
  for (auto& one : crowd) EXPECT_TRUE(one->Send(testing::http2::Greeting() + testing::http2::SettingsTaken()));
  good_->ExpectServed();
  Say("2000 greeted");
  for (auto& one : crowd) if (!one->AwaitEnd(10000)) { ADD_FAILURE(); break; }
  Say("after 10 s");
}

TEST_F(AbuseConnections, SilentStreams) {
  Crowd crowd = Connect(20);
  for (auto& one : crowd) {
    EXPECT_TRUE(one->Send(testing::http2::Greeting() + testing::http2::SettingsTaken()));
    for (uint32_t i = 0; i < 100; ++i) one->Send(testing::http2::Call(2 * i + 1, "/proffer.v1.SchedulerService/Connect"));
  }
  good_->ExpectServed();
  Say("20 x 100 silent streams");
}

TEST_F(AbuseConnections, Metadata) {
  for (const size_t size : {100u, 4000u, 9000u, 100000u, 10000000u}) {
    HostileConnection one(address());
    one.Send(testing::http2::Greeting() + testing::http2::SettingsTaken());
    one.Send(testing::http2::Call(1, "/proffer.v1.SchedulerService/Connect", testing::http2::Header("x", std::string(size, 'a'))));
    good_->ExpectServed();
    Say(absl::StrCat("metadata ", size).c_str());
    std::fprintf(stderr, "  read %zu\n", one.Read(100).size());
  }
  std::string many;
  for (int i = 0; i < 100000; ++i) absl::StrAppend(&many, testing::http2::Header(absl::StrCat("x", i), "a"));
  HostileConnection one(address());
  one.Send(testing::http2::Greeting() + testing::http2::SettingsTaken());
  one.Send(testing::http2::Call(1, "/proffer.v1.SchedulerService/Connect", many));
  Say("many headers");
  good_->ExpectServed();
}

TEST_F(AbuseConnections, RapidReset) {
  HostileConnection one(address());
  one.Send(testing::http2::Greeting() + testing::http2::SettingsTaken());
  const Time begin = BootTimeNow();
  uint32_t i = 0;
  for (; i < 100000; ++i) if (!one.Send(testing::http2::Call(2 * i + 1, "/proffer.v1.SchedulerService/Connect") + testing::http2::Reset(2 * i + 1))) break;
  std::fprintf(stderr, "%u resets in %ld ms\n", i, (long)(BootTimeNow() - begin));
  Say("rapid reset");
  good_->ExpectServed();
  Say("rapid reset");
}

TEST_F(AbuseConnections, NeverReadWatch) {
  Crowd crowd = Connect(50);
  for (auto& one : crowd) {
    one->Send(testing::http2::Greeting(0x7fffffff) + testing::http2::SettingsTaken() + testing::http2::WindowUpdate(0x3fffffff));
    for (uint32_t i = 0; i < 100; ++i) {
      one->Send(testing::http2::Call(2 * i + 1, "/proffer.v1.OperatorService/Watch"));
      one->Send(testing::http2::Message(2 * i + 1, "", true));
    }
  }
  Say("5000 watches");
  const Time begin = BootTimeNow();
  for (int i = 0; i < 20; ++i) good_->ExpectServed();
  std::fprintf(stderr, "20 tasks in %ld ms\n", (long)(BootTimeNow() - begin));
  Say("5000 watches");
}

TEST_F(AbuseConnections, HalfMessages) {
  Crowd crowd = Connect(5);
  const std::string whole = testing::http2::Message(1, std::string(4 << 20, 'x'));
  for (auto& one : crowd) {
    one->Send(testing::http2::Greeting(0x7fffffff) + testing::http2::SettingsTaken() + testing::http2::WindowUpdate(0x3fffffff));
    for (uint32_t i = 0; i < 100; ++i) {
      one->Send(testing::http2::Call(2 * i + 1, "/proffer.v1.SchedulerService/Connect"));
      std::string part = testing::http2::Message(2 * i + 1, std::string(65000, 'x'));
      part[9+1] = 0; part[9+2] = 0x3f; part[9+3]=0; part[9+4]=0;  // 4 MB - 64K
      one->Send(part);
    }
    // Windows as the server grants them: read window updates, then send more.
    for (int round = 0; round < 200; ++round) {
      std::string got = one->Read(20);
      if (got.empty()) break;
      size_t at = 0; int n = 0;
      while (at + 9 <= got.size()) {
        size_t len = (uint8_t)got[at] << 16 | (uint8_t)got[at+1] << 8 | (uint8_t)got[at+2];
        uint32_t stream = (uint8_t)got[at+7] << 8 | (uint8_t)got[at+8];
        if (got[at+3] == 8 && stream != 0 && at + 13 <= got.size()) {
          uint32_t w = (uint8_t)got[at+9] << 24 | (uint8_t)got[at+10] << 16 | (uint8_t)got[at+11] << 8 | (uint8_t)got[at+12];
          std::string data = testing::http2::Message(stream, std::string(w > 5 ? std::min(w - 5, 65530u) : 0, 'x'));
          if (!one->Send(data)) break;
          ++n;
        }
        at += 9 + len;
      }
    }
    Say("half messages");
  }
  good_->ExpectServed();
  Say("half messages");
}

TEST_F(AbuseConnections, ResetAgain) {
  for (int round = 0; round < 5; ++round) {
    HostileConnection one(address());
    one.Send(testing::http2::Greeting() + testing::http2::SettingsTaken());
    for (uint32_t i = 0; i < 22000; ++i) if (!one.Send(testing::http2::Call(2 * i + 1, "/proffer.v1.SchedulerService/Connect") + testing::http2::Reset(2 * i + 1))) break;
    Say("rapid reset");
  }
  good_->ExpectServed();
}

TEST_F(AbuseConnections, PingFlood) {
  HostileConnection one(address());
  one.Send(testing::http2::Greeting() + testing::http2::SettingsTaken());
  int i = 0;
  for (; i < 1000000; ++i) if (!one.Send(testing::http2::Ping())) break;
  std::fprintf(stderr, "%d pings\n", i);
  Say("pings");
  HostileConnection two(address());
  two.Send(testing::http2::Greeting() + testing::http2::SettingsTaken());
  for (i = 0; i < 1000000; ++i) if (!two.Send(testing::http2::EmptySettings())) break;
  std::fprintf(stderr, "%d settings\n", i);
  Say("settings");
}

}  // namespace
}  // namespace proffer
