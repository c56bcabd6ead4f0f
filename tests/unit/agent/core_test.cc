// What an agent's core decides, one rule a test.
#include "agent/core/core.h"

#include <string>
#include <vector>

#include "agent_bench.h"
#include "common/base/limits.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace proffer::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class AgentCore : public ::testing::Test {
 protected:
  AgentCore() { bench.Boot(); }

  model::AttemptId Launch(const std::string& task, uint64_t n,
                          const std::string& resources = "cpus:1;mem:64MiB") {
    const model::LaunchTask order = bench.LaunchOrder(task, n, resources);
    bench.Order(order);
    return order.attempt;
  }
  model::AttemptId Run(const std::string& task, uint64_t n) {
    const model::AttemptId attempt = Launch(task, n);
    bench.Step(ContainerStarted{attempt, 100});
    return attempt;
  }
  void Ended(model::AttemptId attempt, int code) {
    bench.Step(ContainerEnded{attempt, EndCause::kItself, code, std::nullopt});
  }

  AgentBench bench;
};

// --- Link ---

TEST_F(AgentCore, ConnectsAtOnceAndSaysHello) {
  ASSERT_TRUE(bench.connect.has_value());
  EXPECT_EQ(bench.connect->delay_ms, 0);
  bench.Up();
  const auto hello = bench.TakeSent<model::AgentHello>();
  ASSERT_THAT(hello, SizeIs(1));
  EXPECT_EQ(hello[0].cluster_id, "");
  EXPECT_TRUE(hello[0].agent.empty());
  EXPECT_EQ(hello[0].boot_id, "boot-1");
  EXPECT_EQ(hello[0].resources_generation, 1u);
  EXPECT_EQ(hello[0].info, bench.config.info);
}

TEST_F(AgentCore, SaysHelloOnlyWhenItsGenerationIsDurable) {
  AgentBench fresh;
  fresh.durable_at_once = false;
  fresh.Boot();
  fresh.Up();
  EXPECT_THAT(fresh.sent, IsEmpty());
  fresh.MakeDurable(1);
  EXPECT_THAT(fresh.sent, SizeIs(1));
}

TEST_F(AgentCore, TellsNothingOfAnEpochBeforeItIsCheckpointed) {
  bench.Up();
  bench.sent.clear();
  bench.durable_at_once = false;
  bench.Welcome(7);
  bench.Order(model::SendTasks{0, 1000});
  bench.Order(model::Registered{});
  bench.Order(model::Ping{3});
  EXPECT_THAT(bench.sent, IsEmpty());
  bench.MakeDurable(1);
  EXPECT_THAT(bench.sent, SizeIs(2));  // The chunk and the pong.
  bench.Crash();
  bench.Boot();
  bench.MakeDurable(9);
  bench.Up();
  const auto hello = bench.TakeSent<model::AgentHello>();
  ASSERT_THAT(hello, SizeIs(1));
  EXPECT_EQ(hello[0].highest_epoch, 7u);
  EXPECT_EQ(hello[0].cluster_id, "c1");
  EXPECT_EQ(hello[0].agent, model::AgentId("agent-1"));
}

TEST_F(AgentCore, LeavesAMasterOfAnOlderEpoch) {
  bench.Register(5);
  bench.Step(LinkDown{bench.link, "gone"});
  bench.Up();
  bench.Welcome(4);
  ASSERT_TRUE(bench.dropped.has_value());
  EXPECT_THAT(bench.dropped->reason, HasSubstr("epoch 4 is over"));
  EXPECT_TRUE(bench.connect.has_value());
}

TEST_F(AgentCore, StopsWhenTheClusterIsAnother) {
  bench.Register();
  bench.Step(LinkDown{bench.link, "gone"});
  bench.Up();
  bench.Order(model::Welcome{model::ThisVersion(), "c2", 9, model::AgentId("agent-1"), 1, 1});
  ASSERT_TRUE(bench.stop.has_value());
  EXPECT_EQ(bench.stop->reason, model::Refusal::kWrongCluster);
  EXPECT_TRUE(bench.core->NextDeadline().IsNever());
}

TEST_F(AgentCore, StopsWhenSuperseded) {
  bench.Register();
  bench.Order(model::AgentError{model::Refusal::kSuperseded, "a newer stream"});
  ASSERT_TRUE(bench.stop.has_value());
  EXPECT_EQ(bench.stop->reason, model::Refusal::kSuperseded);
}

TEST_F(AgentCore, LeavesAMasterThatGivesOrdersBeforeItsWelcome) {
  bench.Up();
  bench.Order(bench.LaunchOrder("t", 1));
  EXPECT_TRUE(bench.dropped.has_value());
  EXPECT_THAT(bench.core->tasks().all(), IsEmpty());
}

TEST_F(AgentCore, IgnoresOrdersOfAConnectionThatItLeft) {
  bench.Register();
  const uint64_t old = bench.link;
  bench.Step(LinkDown{old, "gone"});
  bench.Register(2);
  bench.Step(OrderReceived{old, bench.now, bench.LaunchOrder("t", 1)});
  EXPECT_THAT(bench.core->tasks().all(), IsEmpty());
}

TEST_F(AgentCore, LeavesASilentMasterAfterTheTimeTold) {
  bench.Register();
  bench.Advance(74'999);
  EXPECT_FALSE(bench.dropped.has_value());
  bench.Order(model::Ping{1});
  bench.Advance(74'999);
  EXPECT_FALSE(bench.dropped.has_value());
  bench.Advance(1);
  EXPECT_TRUE(bench.dropped.has_value());
  EXPECT_TRUE(bench.connect.has_value());
}

TEST_F(AgentCore, ATurnThatBeganLateDoesNotCountAsSilence) {
  bench.Register();
  bench.Advance(200'000);  // The process was paused; whoever spoke was not heard.
  EXPECT_FALSE(bench.dropped.has_value());
  bench.Advance(74'999);
  EXPECT_FALSE(bench.dropped.has_value());
  bench.Advance(1);
  EXPECT_TRUE(bench.dropped.has_value());
}

TEST_F(AgentCore, WaitsLongerBetweenConnectionsUntilItIsRegistered) {
  bench.Up();
  int64_t last = 0;
  for (int i = 0; i < 12; ++i) {
    bench.connect.reset();
    bench.Step(LinkDown{i == 0 ? bench.link : 0, "refused"});
    ASSERT_TRUE(bench.connect.has_value());
    last = bench.connect->delay_ms;
    EXPECT_LE(last, bench.config.reconnect_max_ms);
  }
  EXPECT_GE(last, bench.config.reconnect_max_ms / 2);
  bench.Register();
  bench.Step(LinkDown{bench.link, "gone"});
  EXPECT_EQ(bench.connect->delay_ms, 0);
}

TEST_F(AgentCore, WhatWasInVainIsGivenMoreTimeUpToFourTimes) {
  const int64_t welcome_ms = bench.config.welcome_timeout_ms;
  for (const int64_t times : {1, 2, 4, 4}) {
    ASSERT_TRUE(bench.connect.has_value());
    EXPECT_EQ(bench.connect->greeting_ms, times * bench.config.greeting_timeout_ms);
    bench.Up();
    bench.dropped.reset();
    bench.Advance(times * welcome_ms - 1);
    EXPECT_FALSE(bench.dropped.has_value()) << times;
    bench.Advance(1);
    EXPECT_TRUE(bench.dropped.has_value()) << times;
  }
  bench.Register();
  bench.Step(LinkDown{bench.link, "gone"});
  EXPECT_EQ(bench.connect->greeting_ms, bench.config.greeting_timeout_ms);
}

TEST_F(AgentCore, ANewLeaderIsNotKeptWaitingByTheFailuresOfTheFormerOne) {
  const auto fail = [&](int times) {
    for (int i = 0; i < times; ++i) bench.Step(LinkDown{0, "refused"});
    EXPECT_GE(bench.connect->delay_ms, bench.config.reconnect_max_ms / 2);
  };
  fail(12);
  bench.Step(LeaderFound{});
  EXPECT_LE(bench.connect->delay_ms, bench.config.reconnect_min_ms);
  // The word comes while the former one is being tried: only then is that attempt given up.
  fail(12);
  bench.Up();
  bench.Step(LeaderFound{});
  bench.Step(LinkDown{bench.link, "CANCELLED"});
  EXPECT_LE(bench.connect->delay_ms, bench.config.reconnect_min_ms);
}

TEST_F(AgentCore, ReportsItsTasksInChunksByCursor) {
  bench.config.info.resources = Parsed("cpus:1000;mem:1000GiB");
  bench.Crash();
  bench.Boot();
  bench.Register();
  for (int i = 1; i <= 20; ++i) Run("task-" + std::to_string(i), i);
  bench.Step(LinkDown{bench.link, "gone"});
  bench.Up();
  EXPECT_EQ(bench.TakeSent<model::AgentHello>()[0].tasks, 20);
  bench.Welcome();
  int64_t received = 0;
  bool last = false;
  int chunks = 0;
  while (!last) {
    bench.Order(model::SendTasks{received, 500});
    const auto chunk = bench.TakeSent<model::TaskChunk>();
    ASSERT_THAT(chunk, SizeIs(1));
    EXPECT_EQ(chunk[0].cursor, received);
    received += static_cast<int64_t>(chunk[0].tasks.size());
    EXPECT_TRUE(chunk[0].tasks[0].unacknowledged);
    EXPECT_EQ(chunk[0].tasks[0].state, model::TaskState::kRunning);
    last = chunk[0].last;
    ++chunks;
  }
  EXPECT_EQ(received, 20);
  EXPECT_GT(chunks, 3);
}

TEST_F(AgentCore, AReportNeverTellsWhatACrashCouldForget) {
  bench.Register();
  const auto attempt = Run("t", 1);
  bench.Step(LinkDown{bench.link, "gone"});
  bench.Up();
  bench.Welcome();
  bench.sent.clear();
  bench.durable_at_once = false;
  Ended(attempt, 0);
  bench.Order(model::SendTasks{0, 1 << 20});
  EXPECT_THAT(bench.sent, IsEmpty());
  bench.MakeDurable(1);
  EXPECT_EQ(bench.TakeSent<model::TaskChunk>()[0].tasks[0].state, model::TaskState::kFinished);
}

// --- Launches ---

TEST_F(AgentCore, LaunchesOnlyWhatIsRecorded) {
  bench.Register();
  bench.durable_at_once = false;
  const auto attempt = Launch("t", 1);
  EXPECT_THAT(bench.TakeCommands<LaunchContainer>(), IsEmpty());
  bench.MakeDurable(1);
  const auto launched = bench.TakeCommands<LaunchContainer>();
  ASSERT_THAT(launched, SizeIs(1));
  EXPECT_EQ(*launched[0].launch->task.payload, "payload");
  EXPECT_EQ(launched[0].agent, model::AgentId("agent-1"));
  bench.Step(ContainerStarted{attempt, 100});
  EXPECT_THAT(bench.TakeStatuses(), IsEmpty());
  bench.MakeDurable(1);
  EXPECT_THAT(bench.TakeStatuses(), ElementsAre("t#1 RUNNING"));
}

TEST_F(AgentCore, IgnoresALaunchThatItKnows) {
  bench.Register();
  const auto attempt = Launch("t", 1);
  Launch("t", 1);
  EXPECT_THAT(bench.TakeCommands<LaunchContainer>(), SizeIs(1));
  Ended(attempt, 0);
  bench.Ack("t", attempt, 1);
  EXPECT_THAT(bench.core->tasks().all(), IsEmpty());
  Launch("t", 1);
  EXPECT_THAT(bench.TakeCommands<LaunchContainer>(), IsEmpty());
}

TEST_F(AgentCore, DropsALaunchDecidedOnOtherResources) {
  bench.Register();
  model::LaunchTask order = bench.LaunchOrder("t", 1);
  order.resources_generation = 9;
  bench.Order(order);
  EXPECT_THAT(bench.TakeStatuses(),
              ElementsAre(HasSubstr("t#1 DROPPED STALE_RESOURCES: decided on generation 9")));
  EXPECT_THAT(bench.TakeCommands<LaunchContainer>(), IsEmpty());
  EXPECT_EQ(bench.core->ledger().used(), Resources());
}

TEST_F(AgentCore, DropsALaunchThatDoesNotFit) {
  bench.Register();
  Launch("a", 1, "cpus:3;ports:[31000-31001]");
  Launch("b", 2, "cpus:2");
  Launch("c", 3, "cpus:1;ports:[31001]");
  EXPECT_THAT(bench.TakeStatuses(),
              ElementsAre(HasSubstr("b#1 DROPPED INVALID_OFFER: needs cpus:2"),
                          HasSubstr("c#1 DROPPED INVALID_OFFER")));
  EXPECT_THAT(bench.TakeCommands<LaunchContainer>(), SizeIs(1));
}

TEST_F(AgentCore, NeverStartsAnAttemptOfAMasterThatWasReplaced) {
  bench.Register(3);
  model::LaunchTask order = bench.LaunchOrder("t", 1);
  order.attempt.epoch = 2;
  bench.Order(order);
  EXPECT_THAT(bench.core->tasks().all(), IsEmpty());
}

TEST_F(AgentCore, RefusesATaskIdThatCouldLeaveItsDirectory) {
  bench.Register();
  Launch("..", 1);
  Launch("a/b", 2);
  EXPECT_THAT(bench.TakeStatuses(), ElementsAre(HasSubstr("..#1 ERROR INVALID_TASK"),
                                                HasSubstr("a/b#1 ERROR INVALID_TASK")));
  EXPECT_THAT(bench.TakeCommands<LaunchContainer>(), IsEmpty());
}

TEST_F(AgentCore, TellsWhyALaunchFailed) {
  bench.Register();
  const auto attempt = Launch("t", 1);
  bench.Step(LaunchFailed{attempt, "program 'foo' not found in PATH"});
  EXPECT_THAT(bench.TakeStatuses(),
              ElementsAre("t#1 FAILED LAUNCH_FAILED: program 'foo' not found in PATH"));
  EXPECT_EQ(bench.core->ledger().free(), bench.core->ledger().total());
}

// --- Ends ---

TEST_F(AgentCore, TellsHowATaskEnded) {
  bench.Register();
  struct {
    EndCause cause;
    std::optional<int32_t> code;
    std::optional<int32_t> signal;
    std::string line;
  } const cases[] = {
      {EndCause::kItself, 0, {}, "FINISHED: exited with code 0"},
      {EndCause::kItself, 3, {}, "FAILED EXITED: exited with code 3"},
      {EndCause::kItself, {}, 11, "FAILED SIGNALLED: ended by signal 11 (SIGSEGV)"},
      {EndCause::kMaxRunTime,
       {},
       15,
       "FAILED MAX_RUN_TIME: stopped after its max_run_time_ms of 0; ended by signal 15 (SIGTERM)"},
      {EndCause::kDisconnected,
       {},
       9,
       "KILLED DISCONNECTED_TOO_LONG: killed because it was cut off from the leading master for "
       "longer than its stop_after_disconnect_ms; ended by signal 9 (SIGKILL)"},
      {EndCause::kKilled, 0, {}, "KILLED KILL_REQUESTED: killed on request; exited with code 0"},
  };
  uint64_t n = 0;
  for (const auto& c : cases) {
    const auto attempt = Run("t", ++n);
    bench.Ack("t", attempt, 1);
    bench.sent.clear();
    bench.Step(ContainerEnded{attempt, c.cause, c.code, c.signal});
    EXPECT_THAT(bench.TakeStatuses(), ElementsAre("t#2 " + c.line));
    Ended(attempt, 77);  // Terminal is final.
    bench.Step(ShimLost{attempt});
    EXPECT_THAT(bench.TakeStatuses(), IsEmpty());
  }
}

TEST_F(AgentCore, FreesTheResourcesOfAnEndedTaskBeforeItIsAcknowledged) {
  bench.Register();
  const auto attempt = Launch("a", 1, "cpus:4");
  bench.Step(ContainerStarted{attempt, 100});
  EXPECT_THAT(bench.TakeStatuses(), ElementsAre("a#1 RUNNING"));
  Ended(attempt, 0);
  Launch("b", 2, "cpus:4");
  EXPECT_THAT(bench.TakeCommands<LaunchContainer>(), SizeIs(2));
  // The unacknowledged status is repeated soon, because it tells the newest state.
  bench.Advance(1'000);
  EXPECT_THAT(bench.TakeStatuses(), ElementsAre("a#1 RUNNING (now FINISHED)"));
}

// --- Kills ---

TEST_F(AgentCore, KillsWithTheShorterGrace) {
  bench.Register();
  model::LaunchTask order = bench.LaunchOrder("t", 1);
  order.task.kill_grace_ms = 3'000;
  bench.Order(order);
  bench.Step(ContainerStarted{order.attempt, 100});
  bench.Ack("t", order.attempt, 1);
  bench.sent.clear();
  const auto kill = [&](std::optional<int64_t> grace_ms) {
    bench.Order(model::KillTask{AgentBench::Key("t"), order.attempt, grace_ms});
  };
  kill(10'000);
  auto kills = bench.TakeCommands<KillContainer>();
  ASSERT_THAT(kills, SizeIs(1));
  EXPECT_EQ(kills[0].grace_ms, 3'000);
  EXPECT_THAT(bench.TakeStatuses(), ElementsAre("t#2 KILLING KILL_REQUESTED"));
  kill(std::nullopt);  // Not sooner than before: nothing to do.
  EXPECT_THAT(bench.TakeCommands<KillContainer>(), IsEmpty());
  kill(100);
  kills = bench.TakeCommands<KillContainer>();
  ASSERT_THAT(kills, SizeIs(1));
  EXPECT_EQ(kills[0].grace_ms, 100);
  EXPECT_THAT(bench.TakeStatuses(), IsEmpty());
}

TEST_F(AgentCore, AKillBeforeTheStartMeansNoStart) {
  bench.Register();
  const auto attempt = Launch("t", 1);
  bench.Order(model::KillTask{AgentBench::Key("t"), attempt, std::nullopt});
  EXPECT_THAT(bench.TakeCommands<KillContainer>(), SizeIs(1));
  bench.Step(LaunchCancelled{attempt});
  bench.Ack("t", attempt, 1);
  EXPECT_THAT(bench.TakeStatuses(),
              ElementsAre("t#1 KILLING KILL_REQUESTED", HasSubstr("t#2 KILLED")));
}

TEST_F(AgentCore, AKilledTaskThatEndedByItselfBeforeIsNotCalledKilled) {
  bench.Register();
  const auto attempt = Run("t", 1);
  bench.Order(model::KillTask{AgentBench::Key("t"), attempt, std::nullopt});
  Ended(attempt, 0);
  EXPECT_EQ(bench.core->tasks().Find(attempt)->progress.state, model::TaskState::kFinished);
}

TEST_F(AgentCore, IgnoresKillsOfWhatItDoesNotKnow) {
  bench.Register();
  const auto attempt = Run("t", 1);
  bench.sent.clear();
  bench.Order(model::KillTask{AgentBench::Key("other"), {1, 55}, std::nullopt});
  bench.Order(model::KillTask{AgentBench::Key("other"), attempt, std::nullopt});
  EXPECT_THAT(bench.commands, SizeIs(2));  // KeepContainers and the launch.
  EXPECT_THAT(bench.sent, IsEmpty());
}

TEST_F(AgentCore, EndOfAFrameworkKillsItsTasksOnly) {
  bench.Register();
  const auto mine = Run("t", 1);
  model::LaunchTask other = bench.LaunchOrder("t", 2);
  other.framework = model::FrameworkId("fw-2");
  bench.Order(other);
  bench.Order(model::EndFramework{model::FrameworkId("fw")});
  const auto kills = bench.TakeCommands<KillContainer>();
  ASSERT_THAT(kills, SizeIs(1));
  EXPECT_EQ(kills[0].attempt, mine);
  bench.Step(ContainerEnded{mine, EndCause::kKilled, std::nullopt, 15});
  EXPECT_EQ(bench.core->tasks().Find(mine)->progress.reason, model::TaskReason::kFrameworkRemoved);
}

TEST_F(AgentCore, StopsATaskWhoseMasterIsSilentForTooLong) {
  bench.Register();
  model::LaunchTask order = bench.LaunchOrder("t", 1);
  order.task.stop_after_disconnect_ms = 30'000;
  bench.Order(order);
  bench.Step(ContainerStarted{order.attempt, 100});
  bench.Step(LinkDown{bench.link, "gone"});
  for (int i = 0; i < 29; ++i) bench.Advance(1'000);
  EXPECT_THAT(bench.TakeCommands<KillContainer>(), IsEmpty());
  EXPECT_EQ(bench.core->NextDeadline(), bench.now + 1'000);
  bench.Advance(1'000);
  EXPECT_THAT(bench.TakeCommands<KillContainer>(), SizeIs(1));
  bench.Step(ContainerEnded{order.attempt, EndCause::kKilled, std::nullopt, 15});
  EXPECT_EQ(bench.core->tasks().Find(order.attempt)->progress.reason,
            model::TaskReason::kDisconnectedTooLong);
}

// --- Status updates ---

TEST_F(AgentCore, RepeatsAnUpdateUntilItIsAcknowledged) {
  bench.Register();
  const auto attempt = Run("t", 1);
  EXPECT_THAT(bench.TakeStatuses(), SizeIs(1));
  std::vector<int64_t> waits;
  for (int i = 0; i < 5; ++i) {
    const Time began = bench.now;
    while (bench.sent.empty()) {
      bench.Order(model::Ping{1});
      bench.sent.clear();
      bench.Advance(1'000);
    }
    EXPECT_THAT(bench.TakeStatuses(), ElementsAre("t#1 RUNNING"));
    waits.push_back(bench.now - began);
  }
  EXPECT_THAT(waits, ElementsAre(10'000, 20'000, 40'000, 60'000, 60'000));
  bench.Ack("t", attempt, 1);
  for (int i = 0; i < 100; ++i) {
    bench.Order(model::Ping{1});
    bench.Advance(1'000);
  }
  EXPECT_THAT(bench.TakeStatuses(), IsEmpty());
}

TEST_F(AgentCore, HoldsTheNextUpdateUntilTheOneBeforeIsAcknowledged) {
  bench.Register();
  const auto attempt = Run("t", 1);
  Ended(attempt, 0);
  EXPECT_THAT(bench.TakeStatuses(), ElementsAre("t#1 RUNNING"));
  bench.Ack("t", attempt, 2);                 // Not the one in flight.
  bench.Ack("t", model::AttemptId{1, 9}, 1);  // Another attempt.
  EXPECT_THAT(bench.TakeStatuses(), IsEmpty());
  bench.Ack("t", attempt, 1);
  EXPECT_THAT(bench.TakeStatuses(), ElementsAre("t#2 FINISHED: exited with code 0"));
  bench.Ack("t", attempt, 1);
  EXPECT_THAT(bench.core->tasks().all(), SizeIs(1));
  bench.Ack("t", attempt, 2);
  EXPECT_THAT(bench.core->tasks().all(), IsEmpty());
  EXPECT_THAT(bench.TakeCommands<ForgetContainer>(), SizeIs(1));
}

TEST_F(AgentCore, SendsWhatIsUnacknowledgedAtOnceOnANewRegistration) {
  bench.Register();
  Run("a", 1);
  Ended(Run("b", 2), 1);
  bench.sent.clear();
  bench.Step(LinkDown{bench.link, "gone"});
  bench.Up();
  bench.Welcome(2);
  bench.Order(model::SendTasks{0, 1 << 20});
  EXPECT_THAT(bench.TakeStatuses(), IsEmpty());
  bench.Order(model::Registered{});
  EXPECT_THAT(bench.TakeStatuses(), ElementsAre("a#1 RUNNING", "b#1 RUNNING (now FAILED)"));
}

TEST_F(AgentCore, KeepsABoundedNumberOfUpdatesOfAFrameworkInFlight) {
  bench.config.info.resources = Parsed("cpus:4000;mem:4000GiB");
  bench.Crash();
  bench.Boot();
  bench.Register();
  const int over = 5;
  for (int i = 1; i <= limits::kUpdatesPerFrameworkAndAgent + over; ++i) {
    Run("t" + std::to_string(i), i);
  }
  EXPECT_THAT(bench.TakeStatuses(), SizeIs(limits::kUpdatesPerFrameworkAndAgent));
  bench.Ack("t7", {1, 7}, 1);
  EXPECT_THAT(bench.TakeStatuses(), ElementsAre("t1001#1 RUNNING"));
  // Another framework has room of its own.
  model::LaunchTask other = bench.LaunchOrder("x", 5'000);
  other.framework = model::FrameworkId("fw-2");
  bench.Order(other);
  bench.Step(ContainerStarted{other.attempt, 1});
  EXPECT_THAT(bench.TakeStatuses(), ElementsAre("x#1 RUNNING"));
}

TEST_F(AgentCore, AnswersForTasksThatNeverArrived) {
  bench.Register();
  const auto known = Run("t", 1);
  bench.sent.clear();
  bench.Order(model::ExpectTasks{
      {{AgentBench::Key("t"), known, ""}, {AgentBench::Key("u"), {1, 2}, "intent-u"}}});
  EXPECT_THAT(bench.TakeStatuses(),
              ElementsAre("u#1 DROPPED AGENT_LOST_IT: the launch never arrived at the agent"));
  bench.Ack("u", {1, 2}, 1);
  // The launch comes after all: too late.
  Launch("u", 2);
  EXPECT_THAT(bench.TakeCommands<LaunchContainer>(), SizeIs(1));
  bench.Crash();
  bench.Boot();
  bench.Step(ContainerStarted{known, 100});
  bench.Register();
  Launch("u", 2);
  EXPECT_THAT(bench.TakeCommands<LaunchContainer>(), IsEmpty());
}

TEST_F(AgentCore, WhatIsForgottenIsNotSaidToHaveNeverArrived) {
  bench.Register();
  const auto attempt = Run("t", 1);
  bench.Ack("t", attempt, 1);
  ContainerEnded end;
  end.attempt = attempt;
  end.exit_code = 0;
  bench.Step(end);
  bench.Ack("t", attempt, 2);
  EXPECT_THAT(bench.core->tasks().all(), IsEmpty());
  bench.sent.clear();
  bench.Order(model::ExpectTasks{{{AgentBench::Key("t"), attempt, ""}}});
  EXPECT_THAT(bench.TakeStatuses(),
              ElementsAre("t#1 GONE AGENT_LOST_IT: it has ended, its end was acknowledged, and the "
                          "agent has forgotten how it ended"));
  bench.Ack("t", attempt, 1);
  EXPECT_THAT(bench.core->tasks().all(), IsEmpty());
}

// --- Recovery ---

TEST_F(AgentCore, SpeaksToNoMasterBeforeItHasLookedForItsContainers) {
  bench.Register();
  const auto a = Run("a", 1);
  const auto b = Run("b", 2);
  bench.Crash();
  bench.Boot();
  EXPECT_THAT(bench.TakeCommands<RecoverContainer>(), SizeIs(2));
  const auto keep = bench.TakeCommands<KeepContainers>();
  ASSERT_THAT(keep, SizeIs(1));
  EXPECT_THAT(keep[0].attempts, ElementsAre(a, b));
  EXPECT_FALSE(bench.connect.has_value());
  bench.Step(ContainerStarted{a, 100});
  EXPECT_FALSE(bench.connect.has_value());
  Ended(b, 4);
  EXPECT_TRUE(bench.connect.has_value());
  bench.Register();
  EXPECT_EQ(bench.core->tasks().Find(a)->pid, 100);
  EXPECT_EQ(bench.core->tasks().Find(b)->progress.state, model::TaskState::kFailed);
}

TEST_F(AgentCore, LaunchesAgainOnlyWhatWasNeverStarted) {
  bench.Register();
  const auto started = Run("a", 1);
  const auto recorded = Launch("b", 2);
  const auto unclear = Launch("c", 3);
  bench.Crash();
  bench.Boot();
  bench.Step(NoTrace{started});
  bench.Step(NoTrace{recorded});
  bench.Step(ShimLost{unclear});
  const auto launched = bench.TakeCommands<LaunchContainer>();
  ASSERT_THAT(launched, SizeIs(1));
  EXPECT_EQ(launched[0].launch->attempt, recorded);
  EXPECT_EQ(*launched[0].launch->task.payload, "payload");
  EXPECT_EQ(bench.core->tasks().Find(started)->progress.reason, model::TaskReason::kShimLost);
  EXPECT_EQ(bench.core->tasks().Find(unclear)->progress.reason, model::TaskReason::kShimLost);
}

TEST_F(AgentCore, FinishesAKillThatACrashInterrupted) {
  bench.Register();
  const auto running = Run("a", 1);
  const auto recorded = Launch("b", 2);
  for (const auto& [task, attempt] : {std::pair{"a", running}, std::pair{"b", recorded}}) {
    bench.Order(model::KillTask{AgentBench::Key(task), attempt, std::nullopt});
  }
  bench.Crash();
  bench.Boot();
  bench.Step(ContainerStarted{running, 100});
  EXPECT_THAT(bench.TakeCommands<KillContainer>(), SizeIs(1));
  bench.Step(NoTrace{recorded});
  EXPECT_THAT(bench.TakeCommands<LaunchContainer>(), IsEmpty());
  EXPECT_EQ(bench.core->tasks().Find(recorded)->progress.state, model::TaskState::kKilled);
}

TEST_F(AgentCore, ARebootEndsEverythingThatMayHaveRun) {
  bench.Register();
  const auto a = Run("a", 1);
  const auto b = Launch("b", 2);
  bench.Crash();
  bench.config.boot_id = "boot-2";
  bench.durable_at_once = false;
  bench.Boot();
  // A second crash in the middle must not make the rest look like never started.
  bench.Crash(1);
  bench.Boot();
  bench.MakeDurable(99);
  bench.durable_at_once = true;
  EXPECT_THAT(bench.TakeCommands<RecoverContainer>(), IsEmpty());
  // Should the machine not have been rebooted after all, nothing of them may live on.
  const auto keep = bench.TakeCommands<KeepContainers>();
  ASSERT_FALSE(keep.empty());
  EXPECT_THAT(keep.back().attempts, IsEmpty());
  EXPECT_THAT(keep.back().ended, ElementsAre(a, b));
  EXPECT_TRUE(bench.connect.has_value());
  for (const auto& attempt : {a, b}) {
    EXPECT_EQ(bench.core->tasks().Find(attempt)->progress.reason,
              model::TaskReason::kAgentRebooted);
  }
  EXPECT_EQ(bench.core->ledger().free(), bench.core->ledger().total());
}

TEST_F(AgentCore, OtherResourcesRaiseTheGenerationAndKeepTheTasks) {
  bench.Register();
  const auto a = Launch("a", 1, "cpus:3;mem:1GiB");
  bench.Step(ContainerStarted{a, 100});
  bench.Crash();
  bench.config.info.resources = Parsed("cpus:2;mem:4GiB");  // Less than is in use.
  bench.Boot();
  bench.Step(ContainerStarted{a, 100});
  EXPECT_EQ(bench.core->identity().resources_generation, 2u);
  EXPECT_EQ(bench.core->ledger().free(), Parsed("mem:3GiB"));
  bench.Register();
  Launch("b", 2, "mem:1GiB");
  EXPECT_THAT(bench.TakeCommands<LaunchContainer>(), SizeIs(1));
  Launch("c", 3, "cpus:1");
  EXPECT_THAT(bench.TakeCommands<LaunchContainer>(), IsEmpty());
  Ended(a, 0);
  EXPECT_EQ(bench.core->ledger().free(), Parsed("cpus:2;mem:3GiB"));
  bench.Crash();
  bench.Boot();
  EXPECT_EQ(bench.core->identity().resources_generation, 2u);
}

TEST_F(AgentCore, AnAgentDeclaredGoneKillsItsTasksAndComesBackAsANewOne) {
  bench.Register();
  const auto a = Run("a", 1);
  bench.Order(model::AgentError{model::Refusal::kAgentGone, "declared gone"});
  EXPECT_THAT(bench.TakeCommands<KillContainer>(), SizeIs(1));
  EXPECT_FALSE(bench.stop.has_value());
  bench.Crash();
  bench.Boot();
  bench.Step(ContainerStarted{a, 100});
  EXPECT_FALSE(bench.connect.has_value());
  EXPECT_THAT(bench.TakeCommands<KillContainer>(), SizeIs(1));
  bench.Step(ContainerEnded{a, EndCause::kKilled, std::nullopt, 15});
  ASSERT_TRUE(bench.stop.has_value());
  EXPECT_EQ(bench.stop->reason, model::Refusal::kAgentGone);
  bench.Crash();
  bench.Boot();
  EXPECT_TRUE(bench.connect.has_value());
  EXPECT_TRUE(bench.core->identity().agent.empty());
  EXPECT_EQ(bench.core->identity().highest_epoch, 1u);
  EXPECT_THAT(bench.core->tasks().all(), IsEmpty());
}

TEST_F(AgentCore, StampsStatusesWithTheWallClock) {
  bench.Register();
  Run("a", 1);
  EXPECT_EQ(bench.TakeSent<model::AgentUpdate>()[0].status.time_unix_ms, 1'010'000);
}

}  // namespace
}  // namespace proffer::agent
