// Masters as real processes on a real ZooKeeper ensemble: who leads when one of them dies, stands
// still, resigns, or may not lead.
#include <glog/logging.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <map>

#include "cluster/zookeeper_fixture.h"
#include "common/base/end_process.h"
#include "common/zookeeper/contender.h"
#include "common/zookeeper/leader_watch.h"
#include "common/zookeeper/store.h"
#include "support/child_process.h"
#include "support/loopback.h"

namespace proffer {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kSessionMs = 10'000;  // The longest that the servers allow.

class FailoverTest : public ZooKeeperTest {
 protected:
  FailoverTest() {
    std::string name = "/tmp/pffoXXXXXX";
    CHECK(mkdtemp(name.data()) != nullptr);
    directory_ = name;
  }
  ~FailoverTest() override { std::filesystem::remove_all(directory_); }

  std::string SocketOf(const std::string& name) const {
    return absl::StrCat("unix:", directory_, "/", name, "/s");
  }
  std::unique_ptr<testing::ChildProcess> Start(std::vector<std::string> flags) const {
    flags.insert(flags.begin(), {absl::StrCat(PROFFER_BINARY_DIR, "/bin/proffer-master"),
                                 "--logtostderr", absl::StrCat("--zk=", address_.ToString())});
    return std::make_unique<testing::ChildProcess>(std::move(flags));
  }
  std::unique_ptr<testing::ChildProcess> StartMaster(const std::string& name,
                                                     int64_t session_ms = kSessionMs) const {
    return Start({absl::StrCat("--listen=", SocketOf(name)),
                  absl::StrCat("--zk_session_timeout_ms=", session_ms)});
  }
  static bool Leads(const testing::ChildProcess& master) {
    return master.AwaitOutput("serving on ");
  }
  // It waits behind `others`, and would notice the death of any.
  static bool StandsBy(const testing::ChildProcess& master) {
    return master.AwaitOutput("standing by behind the master at ");
  }
  static int ExitStatus(testing::ChildProcess& master) {
    const std::optional<int> status = master.AwaitEnd();
    EXPECT_TRUE(status.has_value()) << "it goes on: " << master.output();
    return status && WIFEXITED(*status) ? WEXITSTATUS(*status) : -1;
  }

  std::string directory_;
};

// Three of them, two deaths, by unix sockets and by TCP; the session never has time to expire.
TEST_F(FailoverTest, AStandbyLeadsAtOnceWhenTheLeadersProcessDies) {
  const std::string tcp = absl::StrCat("--listen=127.0.0.1:", testing::FreePort());
  const auto a = StartMaster("a");
  ASSERT_TRUE(Leads(*a)) << a->output();
  const auto b = Start({tcp, "--insecure_tcp"});
  ASSERT_TRUE(b->AwaitOutput("watching the process")) << b->output();
  const auto c = StartMaster("c");
  ASSERT_TRUE(StandsBy(*c)) << c->output();

  const Time first = BootTimeNow();
  a->Kill();
  ASSERT_TRUE(Leads(*b)) << b->output();
  const int64_t first_ms = BootTimeNow() - first;
  EXPECT_TRUE(b->AwaitOutput("in epoch 2"));

  // Behind that one the third has now somebody to watch.
  ASSERT_TRUE(c->AwaitOutput(absl::StrCat("watching the process that serves ", tcp.substr(9))));
  const Time second = BootTimeNow();
  b->Kill();
  ASSERT_TRUE(Leads(*c)) << c->output();
  const int64_t second_ms = BootTimeNow() - second;
  EXPECT_TRUE(c->AwaitOutput("in epoch 3"));
  LOG(INFO) << "kill -9 to serving: " << first_ms << " ms by a unix socket, " << second_ms
            << " ms by TCP; the session is " << kSessionMs << " ms";
  EXPECT_LT(first_ms, kSessionMs / 2);
  EXPECT_LT(second_ms, kSessionMs / 2);
}

TEST_F(FailoverTest, ALeaderThatStandsStillIsFollowedWhenItsSessionEndsAndThenEndsItself) {
  const auto a = StartMaster("a", 2'000);
  ASSERT_TRUE(Leads(*a)) << a->output();
  const auto b = StartMaster("b", 2'000);
  ASSERT_TRUE(b->AwaitOutput("watching the process"));
  const Time stood_still = BootTimeNow();
  a->Signal(SIGSTOP);
  ASSERT_TRUE(Leads(*b)) << b->output();
  LOG(INFO) << "SIGSTOP to serving, session of 2000 ms: " << BootTimeNow() - stood_still << " ms";
  // Not before: its process is there, and its socket.
  EXPECT_GE(BootTimeNow() - stood_still, 1'000);
  EXPECT_EQ(b->output().find("is dead"), std::string::npos) << b->output();
  const Time woken = BootTimeNow();
  a->Signal(SIGCONT);
  EXPECT_EQ(ExitStatus(*a), kExitRestart) << a->output();
  LOG(INFO) << "SIGCONT to its end: " << BootTimeNow() - woken << " ms";
  EXPECT_THAT(a->output(), HasSubstr("ending the process: "));
  // Whoever it was to stop to, the other leads on.
  const auto session = Connect();
  EXPECT_EQ(session->Children(zk::kElectionPath, false)->size(), 1u);
  EXPECT_EQ(b->AwaitEnd(0), std::nullopt);
}

// When it wakes up no server is there to tell it of its expiry, and its own clock has to.
TEST_F(FailoverTest, ALeaderThatStoodStillTooLongEndsAlthoughNobodyTellsIt) {
  const auto a = StartMaster("a", 1'000);
  ASSERT_TRUE(Leads(*a)) << a->output();
  const auto session = Connect();
  uint64_t seen = session->news();
  a->Signal(SIGSTOP);
  const std::string node = session->Children(zk::kElectionPath, false)->at(0);
  while (session->Exists(absl::StrCat(zk::kElectionPath, "/", node), /*watch=*/true)->has_value()) {
    session->AwaitNews(seen);
    seen = session->news();
  }
  for (int i = 0; i < ensemble().size(); ++i) ensemble().Pause(i);
  a->Signal(SIGCONT);
  EXPECT_EQ(ExitStatus(*a), kExitRestart) << a->output();
  for (int i = 0; i < ensemble().size(); ++i) ensemble().Resume(i);
  ensemble().AwaitServing();
  EXPECT_THAT(a->output(), HasSubstr("this process stood still for "));
}

// Nobody else is there to see that it died, and its session lives for a long time yet.
TEST_F(FailoverTest, AMasterThatIsStartedAgainDoesNotWaitForItsFormerLife) {
  const auto dead = StartMaster("a");
  ASSERT_TRUE(Leads(*dead));
  dead->Kill();
  const Time killed = BootTimeNow();
  const auto again = StartMaster("a");
  ASSERT_TRUE(Leads(*again));
  EXPECT_LT(BootTimeNow() - killed, kSessionMs / 2);
}

TEST_F(FailoverTest, ALeaderThatResignsEndsWellAndIsFollowedAtOnce) {
  const auto a = StartMaster("a");
  ASSERT_TRUE(Leads(*a)) << a->output();
  const auto b = StartMaster("b");
  const auto c = StartMaster("c");
  ASSERT_TRUE(StandsBy(*b) && StandsBy(*c));
  c->Signal(SIGTERM);  // A standby as well.
  EXPECT_EQ(ExitStatus(*c), 0) << c->output();
  const Time resigned = BootTimeNow();
  a->Signal(SIGTERM);
  EXPECT_EQ(ExitStatus(*a), 0) << a->output();
  ASSERT_TRUE(Leads(*b)) << b->output();
  EXPECT_LT(BootTimeNow() - resigned, kSessionMs / 2);
  EXPECT_EQ(a->output().find("ending the process"), std::string::npos) << a->output();
}

TEST_F(FailoverTest, ALeaderWhoseNodeIsRemovedEnds) {
  const auto a = StartMaster("a");
  ASSERT_TRUE(Leads(*a)) << a->output();
  const auto session = Connect();
  const auto nodes = session->Children(zk::kElectionPath, false);
  ASSERT_EQ(nodes->size(), 1u);
  ASSERT_TRUE(session->Delete(absl::StrCat(zk::kElectionPath, "/", (*nodes)[0]), -1).ok());
  EXPECT_EQ(ExitStatus(*a), kExitRestart);
  EXPECT_THAT(a->output(), HasSubstr("took us for dead"));
}

TEST_F(FailoverTest, WithoutAQuorumTheLeaderEndsAndWithOneThereIsALeaderAgain) {
  Told<std::string> heard;
  const zk::LeaderWatch watch(
      address_, [&](auto leader) { heard.Tell(leader ? leader->addresses.front() : "nobody"); });
  ASSERT_EQ(heard.Await(1), "nobody");
  const auto a = StartMaster("a", 2'000);
  ASSERT_TRUE(Leads(*a)) << a->output();
  EXPECT_EQ(heard.Await(2), SocketOf("a"));
  const Time quorum_lost = BootTimeNow();
  ensemble().Kill(0);
  ensemble().Kill(1);
  EXPECT_EQ(ExitStatus(*a), kExitRestart) << a->output();
  LOG(INFO) << "quorum lost to the leader's end, session of 2000 ms: "
            << BootTimeNow() - quorum_lost << " ms";
  // While there is no quorum nobody can begin to lead.
  const auto b = StartMaster("b", 2'000);
  EXPECT_EQ(ExitStatus(*b), kExitRestart);
  EXPECT_THAT(b->output(), HasSubstr("does the ensemble run"));
  ensemble().Start(0);
  ensemble().Start(1);
  ensemble().AwaitServing();
  const auto c = StartMaster("c", 2'000);
  ASSERT_TRUE(Leads(*c)) << c->output();
  EXPECT_TRUE(c->AwaitOutput("in epoch 2"));
  size_t count = 3;
  std::optional<std::string> leader = heard.Await(count);
  while (leader && *leader != SocketOf("c")) leader = heard.Await(++count);
  EXPECT_TRUE(leader.has_value());
}

TEST_F(FailoverTest, AForeignOrEmptiedRegistryIsNotServed) {
  {
    const auto a = StartMaster("a");
    ASSERT_TRUE(Leads(*a)) << a->output();
    a->Signal(SIGTERM);
    EXPECT_EQ(ExitStatus(*a), 0);
  }
  const auto other = Start({absl::StrCat("--listen=", SocketOf("b")), "--cluster=other"});
  EXPECT_EQ(ExitStatus(*other), 1);
  EXPECT_THAT(other->output(), HasSubstr(", not other; name the right cluster"));

  const auto session = Connect();
  for (const char* key : {"cluster", "epoch"}) {
    ASSERT_TRUE(session->Delete(absl::StrCat(zk::kRegistryPath, "/", key), -1).ok());
  }
  const auto emptied = StartMaster("c");
  EXPECT_EQ(ExitStatus(*emptied), 1);
  EXPECT_THAT(emptied->output(), HasSubstr("it was emptied, restore it from a backup"));
}

TEST_F(FailoverTest, WrongFlagsAreRefusedWithTheRightOnes) {
  const std::string listen = absl::StrCat("--listen=", SocketOf("a"));
  for (const auto& [flags, words] : std::map<std::vector<std::string>, std::string>{
           {{listen, "--work_dir=/x"}, "the registry is in one place"},
           {{listen, "--zk=zk://a:1"}, "names no chroot"},
           {{listen, "--zk=", "--advertise=a:1"}, "without --zk leave it out"},
           {{"--listen=127.0.0.1:0", "--insecure_tcp"}, "choose one, or name it by --advertise"},
           {{listen, "--zk_session_timeout_ms=0"}, "expected a number above 0"}}) {
    const auto master = Start(flags);
    EXPECT_EQ(ExitStatus(*master), 2);
    EXPECT_THAT(master->output(), HasSubstr(words));
  }
}

}  // namespace
}  // namespace proffer
