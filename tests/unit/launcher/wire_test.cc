// The shim's decisions and its protocol, without a process.
#include "launcher/wire.h"

#include <string>

#include "gtest/gtest.h"
#include "launcher/shim_machine.h"

namespace proffer::launcher {
namespace {

TEST(ShimWire, APlanComesBackAsItWas) {
  isolator::LaunchPlan plan;
  plan.name = "1-2";
  plan.run_dir = "/run/x";
  plan.sandbox = "/work/s";
  plan.argv = {"sh", "-c", std::string("a\0b", 3), ""};
  plan.environment = {"A=1", "B="};
  plan.working_directory = "/work/s";
  plan.path = "/bin";
  plan.switch_user = true;
  plan.user = "nobody";
  plan.uid = 65534;
  plan.gid = 0xfffffffe;
  plan.groups = {1, 2, 3};
  plan.rlimits = {{7, 10, UINT64_MAX}};
  plan.drop_capabilities = true;
  plan.capabilities = 1ull << 40;
  plan.use_cgroups = true;
  plan.cgroup = {1500, 200, 1ull << 33, 1ull << 32, 1024};
  plan.namespaces = isolator::kAllNamespaces;
  plan.mounts = {isolator::Mount::kPrivateDev, isolator::Mount::kReadOnlySys};
  plan.log_file_bytes = 1ull << 40;
  plan.log_files = 3;
  plan.kill_grace_ms = 5;
  plan.max_run_time_ms = -1;
  plan.stop_after_disconnect_ms = 1ll << 50;
  isolator::LaunchPlan back;
  uint64_t request = 0;
  ASSERT_TRUE(DecodeLaunch(EncodeLaunch(7, plan), &request, &back));
  EXPECT_EQ(request, 7u);
  EXPECT_EQ(EncodeLaunch(7, back), EncodeLaunch(7, plan));
  EXPECT_EQ(back.cgroup, plan.cgroup);
  EXPECT_EQ(back.mounts, plan.mounts);
  EXPECT_EQ(back.argv, plan.argv);
  EXPECT_EQ(back.rlimits[0].hard, UINT64_MAX);
  EXPECT_EQ(back.stop_after_disconnect_ms, 1ll << 50);
}

TEST(ShimWire, TheBytesOfTheFirstVersionStayAsTheyAre) {
  EXPECT_EQ(EncodeFrame(Type::kKill, EncodeInt64(258)),
            std::string("\x01\x03\x00\x00\x08\x00\x00\x00\x02\x01\x00\x00\x00\x00\x00\x00", 16));
  EXPECT_EQ(EncodeFrame(Type::kEnded, EncodeEnded({Cause::kMaxRunTime, true, 9})),
            std::string("\x01\x43\x00\x00\x22\x00\x00\x00\x02\x01\x09\x00\x00\x00", 14) +
                std::string(28, '\0'));
}

TEST(ShimWire, FramesAreTakenOneByOneFromWhateverPiecesCome) {
  const std::string both = EncodeFrame(Type::kHello, "") + EncodeFrame(Type::kLaunchFailed, "why");
  std::string buffer;
  Frame frame;
  int taken = 0;
  for (char byte : both) {
    buffer.push_back(byte);
    if (TakeFrame(&buffer, &frame) == Parsed::kFrame) ++taken;
  }
  EXPECT_EQ(taken, 2);
  EXPECT_EQ(frame.type, Type::kLaunchFailed);
  EXPECT_EQ(frame.body, "why");
}

TEST(ShimWire, RefusesAFrameThatIsTooLong) {
  std::string buffer = EncodeFrame(Type::kHello, "");
  buffer[7] = 0x7f;
  Frame frame;
  EXPECT_EQ(TakeFrame(&buffer, &frame), Parsed::kBroken);
}

TEST(ShimWire, AnyTruncatedPlanIsRefusedOrReadsMissingFieldsAsZero) {
  isolator::LaunchPlan plan;
  plan.argv = {"true"};
  plan.groups = {5};
  plan.rlimits = {{1, 2, 3}};
  const std::string whole = EncodeLaunch(7, plan);
  uint64_t request = 0;
  for (size_t size = 0; size < whole.size(); ++size) {
    isolator::LaunchPlan back;
    if (DecodeLaunch(whole.substr(0, size), &request, &back)) {
      EXPECT_EQ(back.argv, plan.argv);
      EXPECT_EQ(back.stop_after_disconnect_ms, 0);
    }
  }
  std::string hostile = whole;
  for (size_t i = 0; i < hostile.size(); ++i) {
    hostile[i] = '\xff';
    isolator::LaunchPlan back;
    DecodeLaunch(hostile, &request, &back);
    hostile[i] = whole[i];
  }
}

TEST(ShimMachine, ALaterKillMayOnlyShortenTheTime) {
  Machine machine(5'000, 0, 0);
  machine.OnStarted(0);
  EXPECT_TRUE(machine.OnKill(10, 1'000).terminate);
  EXPECT_EQ(machine.deadline(), 1'010);
  EXPECT_FALSE(machine.OnKill(20, 60'000).terminate);
  EXPECT_EQ(machine.deadline(), 1'010);
  machine.OnKill(30, 100);
  EXPECT_EQ(machine.deadline(), 130);
  EXPECT_FALSE(machine.OnTimer(129).kill);
  EXPECT_TRUE(machine.OnTimer(130).kill);
  EXPECT_EQ(machine.deadline(), Machine::kNever);
  EXPECT_EQ(machine.ended().cause, Cause::kKilled);
}

TEST(ShimMachine, AKillWithoutGraceKillsAtOnce) {
  Machine machine(5'000, 0, 0);
  machine.OnStarted(0);
  const Actions actions = machine.OnKill(10, 0);
  EXPECT_TRUE(actions.kill);
  EXPECT_FALSE(actions.terminate);
  EXPECT_EQ(machine.deadline(), Machine::kNever);
}

// The program may run, and have begun to put things in order, before its start is known here.
TEST(ShimMachine, AKillDuringTheStartWaitsForItAsLongAsItsGrace) {
  Machine machine(5'000, 0, 0);
  EXPECT_FALSE(machine.OnKill(10, 1'000).terminate);
  EXPECT_EQ(machine.deadline(), 1'010);
  EXPECT_TRUE(machine.OnStarted(20).terminate);
  EXPECT_EQ(machine.deadline(), 1'010);

  Machine stuck(5'000, 0, 0);
  stuck.OnKill(10, 1'000);
  EXPECT_TRUE(stuck.OnTimer(1'010).kill);
  EXPECT_FALSE(stuck.OnStarted(1'020).terminate);
  EXPECT_TRUE(stuck.OnEnded(true, 9).sweep);
  EXPECT_EQ(stuck.ended().cause, Cause::kKilled);

  Machine at_once(5'000, 0, 0);
  EXPECT_TRUE(at_once.OnKill(10, 0).kill);
}

TEST(ShimMachine, TheFirstCauseWins) {
  Machine machine(5'000, 1'000, 0);
  machine.OnStarted(0);
  EXPECT_TRUE(machine.OnTimer(1'000).terminate);
  machine.OnKill(1'001, 10);
  EXPECT_TRUE(machine.OnEnded(true, 15).sweep);
  EXPECT_EQ(machine.ended().cause, Cause::kMaxRunTime);

  Machine by_itself(5'000, 0, 0);
  by_itself.OnStarted(0);
  by_itself.OnEnded(false, 0);
  by_itself.OnKill(1, 0);
  EXPECT_EQ(by_itself.ended().cause, Cause::kItself);
}

TEST(ShimMachine, SilenceOfTheAgentCountsFromTheLastConnection) {
  Machine machine(100, 0, 1'000);
  machine.OnStarted(0);
  EXPECT_EQ(machine.deadline(), Machine::kNever);
  machine.OnDisconnected(50);
  EXPECT_EQ(machine.deadline(), 1'050);
  machine.OnConnected();
  EXPECT_EQ(machine.deadline(), Machine::kNever);
  machine.OnDisconnected(2'000);
  EXPECT_TRUE(machine.OnTimer(3'000).terminate);
  EXPECT_EQ(machine.ended().cause, Cause::kDisconnected);
}

TEST(ShimMachine, GoesOnlyWhenItsEndWasPublishedAndNobodyWantsIt) {
  Machine connected(100, 0, 0);
  connected.OnStarted(0);
  EXPECT_FALSE(connected.OnRelease().exit);
  connected.OnEnded(false, 0);
  EXPECT_FALSE(connected.OnRelease().exit);
  const Actions swept = connected.OnSwept();
  EXPECT_TRUE(swept.publish);
  EXPECT_FALSE(swept.exit);
  EXPECT_TRUE(connected.OnRelease().exit);

  Machine alone(100, 0, 0);
  alone.OnStarted(0);
  EXPECT_FALSE(alone.OnDisconnected(1).exit);
  alone.OnEnded(false, 0);
  EXPECT_TRUE(alone.OnSwept().exit);

  Machine left(100, 0, 0);
  left.OnStarted(0);
  left.OnEnded(false, 0);
  left.OnSwept();
  EXPECT_TRUE(left.OnDisconnected(1).exit);
}

}  // namespace
}  // namespace proffer::launcher
