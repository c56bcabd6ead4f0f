// The runner with a real launcher, real shims and real processes, with and without containers.
#include "agent/log_reader.h"
#include "support/runner_fixture.h"

namespace proffer::agent {
namespace {

using ::testing::HasSubstr;

class RunnerTest : public RunnerFixture, public ::testing::WithParamInterface<World> {
 protected:
  RunnerTest() : RunnerFixture(GetParam()) {}
};

TEST_P(RunnerTest, TellsExitCodesAndSignals) {
  StartRunner();
  Command(Order(1, {"true"}));
  Command(Script(2, "exit 3"));
  Command(Script(3, "kill -SEGV $$"));
  EXPECT_GT(Await<ContainerStarted>(1).pid, 0);
  EXPECT_EQ(Await<ContainerEnded>(1).exit_code, 0);
  EXPECT_EQ(Await<ContainerEnded>(2).exit_code, 3);
  const ContainerEnded crashed = Await<ContainerEnded>(3);
  EXPECT_EQ(crashed.signal, SIGSEGV);
  EXPECT_FALSE(crashed.exit_code.has_value());
  EXPECT_EQ(crashed.cause, EndCause::kItself);
}

TEST_P(RunnerTest, KeepsOutputAndErrorApart) {
  StartRunner();
  const LaunchContainer order = Script(1, "echo out; echo err >&2; echo more > /dev/stdout");
  Command(order);
  Await<ContainerEnded>(1);
  EXPECT_EQ(OutputOf(order), "out\nmore\n");
  EXPECT_EQ(OutputOf(order, "stderr"), "err\n");
}

TEST_P(RunnerTest, SaysPreciselyWhyALaunchFailed) {
  StartRunner();
  {
    std::ofstream(dir_ + "/not-executable") << "hello";
    std::ofstream(dir_ + "/bad-interpreter") << "#!/no/such/interpreter\n";
    chmod((dir_ + "/bad-interpreter").c_str(), 0755);
  }
  Command(Order(1, {"no-such-program"}));
  Command(Order(2, {"/no/such/program"}));
  Command(Order(3, {dir_ + "/not-executable"}));
  Command(Order(4, {dir_ + "/bad-interpreter"}));
  Command(Order(5, {"true"}, {"cwd=/no/such/place"}));
  Command(Order(6, {"true"}, {"user=no-such-user"}));
  Command(Order(7, {"true"}, {"limit=colour 1 2"}));
  Command(Order(8, {}));
  Command(Order(9, {"no-such-program"}, {"env=PATH=/a:/b"}));
  EXPECT_THAT(Await<LaunchFailed>(1).message,
              HasSubstr("program 'no-such-program' not found in PATH (/usr/local/sbin:"));
  EXPECT_EQ(Await<LaunchFailed>(2).message, "program '/no/such/program' does not exist");
  EXPECT_THAT(Await<LaunchFailed>(3).message, HasSubstr("may not be executed"));
  EXPECT_THAT(Await<LaunchFailed>(4).message, HasSubstr("the interpreter it names does not"));
  EXPECT_THAT(Await<LaunchFailed>(5).message,
              HasSubstr("working directory '/no/such/place' cannot be entered: No such file"));
  EXPECT_THAT(Await<LaunchFailed>(6).message, HasSubstr("user 'no-such-user' does not exist"));
  EXPECT_THAT(Await<LaunchFailed>(7).message, HasSubstr("resource limit 'colour' is unknown"));
  EXPECT_THAT(Await<LaunchFailed>(8).message, HasSubstr("the command is empty"));
  EXPECT_THAT(Await<LaunchFailed>(9).message, HasSubstr("not found in PATH (/a:/b)"));
}

TEST_P(RunnerTest, TellsTheTaskWhoAndWhereItIs) {
  StartRunner();
  const LaunchContainer order = Script(
      1,
      "echo $PROFFER_FRAMEWORK_ID $PROFFER_TASK_ID $PROFFER_ATTEMPT $PROFFER_AGENT_ID $HOST "
      "$PORT0 $PORT1 $PORT2 $LANG $MINE; pwd; echo $HOME; echo $PROFFER_SANDBOX; env | wc -l",
      {"env=MINE=yes", "env=LANG=de_AT.UTF-8", "env=PROFFER_TASK_ID=forged"});
  Command(order);
  Await<ContainerEnded>(1);
  const std::string sandbox = SandboxOf(order);
  EXPECT_THAT(OutputOf(order),
              HasSubstr(absl::StrCat("fw task-1 1-1 ", agent_.value(),
                                     " host-1 31000 31001 31005 de_AT.UTF-8 "
                                     "yes\n",
                                     sandbox, "\n", sandbox, "\n", sandbox, "\n")));
}

TEST_P(RunnerTest, GivesTheTaskNothingButThreeDescriptorsAndItsLimits) {
  const int leaked = open("/dev/null", O_RDONLY);  // Not closed on exec.
  StartRunner();
  const LaunchContainer order =
      Script(1,
             "echo $(ls /proc/self/fd) $(ulimit -n); grep NoNewPrivs /proc/$$/status; "
             "grep -E 'SigBlk|SigIgn' /proc/self/status; cat; "
             "test $(ps -o sid= $$) = $$ && echo own session",
             {"limit=nofile 77 78"});
  Command(order);
  Await<ContainerEnded>(1);
  // 3 is that of ls itself.
  EXPECT_THAT(OutputOf(order), HasSubstr("0 1 2 3 77\nNoNewPrivs:\t1\n"));
  EXPECT_THAT(OutputOf(order), HasSubstr("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000"));
  EXPECT_THAT(OutputOf(order), HasSubstr("\nown session\n"));
  close(leaked);
}

TEST_P(RunnerTest, BecomesTheUserOfTheTask) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  StartRunner();
  const LaunchContainer order =
      Script(1,
             "id -un; id -G; touch mine && echo wrote; echo more > /dev/stdout; "
             "stat -c %U stdout .",
             {"user=nobody"});
  Command(order);
  EXPECT_EQ(Await<ContainerEnded>(1).exit_code, 0) << OutputOf(order, "stderr");
  EXPECT_EQ(OutputOf(order), "nobody\n65534\nwrote\nmore\nnobody\nnobody\n");
}

TEST_P(RunnerTest, AskedToEndATaskMayEndInItsOwnWay) {
  StartRunner();
  MakeFifo("ready");
  Command(Script(1,
                 "trap 'echo bye; exit 7' TERM; echo ok > $DIR/ready; while :; do sleep 0.01; "
                 "done"));
  EXPECT_EQ(ReadFifo("ready"), "ok");
  Command(KillContainer{{1, 1}, 60'000});
  const ContainerEnded ended = Await<ContainerEnded>(1);
  EXPECT_EQ(ended.cause, EndCause::kKilled);
  EXPECT_EQ(ended.exit_code, 7);
}

TEST_P(RunnerTest, KillsATaskThatDoesNotListenAfterTheGrace) {
  StartRunner();
  MakeFifo("ready");
  Command(Script(1, "trap '' TERM; echo ok > $DIR/ready; while :; do sleep 0.01; done"));
  EXPECT_EQ(ReadFifo("ready"), "ok");
  Command(KillContainer{{1, 1}, 3'600'000});
  Command(KillContainer{{1, 1}, 50});         // May shorten.
  Command(KillContainer{{1, 1}, 3'600'000});  // May not lengthen.
  const ContainerEnded ended = Await<ContainerEnded>(1);
  EXPECT_EQ(ended.cause, EndCause::kKilled);
  EXPECT_EQ(ended.signal, SIGKILL);
}

TEST_P(RunnerTest, AKillRightAfterTheLaunchLeavesNothingRunning) {
  StartRunner();
  for (uint64_t n = 1; n <= 20; ++n) {
    Command(Order(n, {"sleep", "1000"}));
    Command(KillContainer{{1, n}, 0});
  }
  int cancelled = 0;
  for (uint64_t n = 1; n <= 20; ++n) {
    MutexLock lock(&mutex_);
    const auto of = [n](const Event& event) {
      if (auto* never = std::get_if<LaunchCancelled>(&event)) return never->attempt.n == n;
      if (auto* ended = std::get_if<ContainerEnded>(&event)) return ended->attempt.n == n;
      return false;
    };
    while (std::none_of(events_.begin(), events_.end(), of)) {
      ASSERT_TRUE(changed_.WaitFor(&mutex_, kPatienceMs));
    }
    const auto found = std::find_if(events_.begin(), events_.end(), of);
    if (std::holds_alternative<LaunchCancelled>(*found)) ++cancelled;
    // Cancelled means: never started.
    for (const Event& event : events_) {
      auto* started = std::get_if<ContainerStarted>(&event);
      if (started != nullptr && started->attempt.n == n) {
        EXPECT_FALSE(std::holds_alternative<LaunchCancelled>(*found));
      }
    }
  }
  EXPECT_GT(cancelled, 0);
}

TEST_P(RunnerTest, KillsWhatATaskLeftBehindHoweverItHides) {
  StartRunner();
  MakeFifo("pids");
  MakeFifo("go");
  // Doubly forked into sessions of their own, deaf to all they may be deaf to.
  Command(Script(1,
                 "(setsid sh -c 'trap \"\" TERM HUP INT; setsid sleep 1000 & deeper=$!; "
                 "echo $$ $deeper > $DIR/pids; sleep 1002' &); read line < $DIR/go; exit 0"));
  const std::vector<std::string> pids = absl::StrSplit(ReadFifo("pids"), ' ', absl::SkipEmpty());
  std::ofstream(dir_ + "/go") << "go\n";
  EXPECT_EQ(Await<ContainerEnded>(1).exit_code, 0);
  ASSERT_EQ(pids.size(), 2u);
  if (contained()) return;  // Their numbers are those of the container, which is no more.
  for (const std::string& pid : pids) EXPECT_FALSE(Lives(atoi(pid.c_str()))) << pid;
}

TEST_P(RunnerTest, StopsATaskThatRunsForTooLong) {
  StartRunner();
  Command(With(Order(1, {"sleep", "1000"}), [](auto* task) { task->max_run_time_ms = 50; }));
  EXPECT_EQ(Await<ContainerEnded>(1).cause, EndCause::kMaxRunTime);
}

TEST_P(RunnerTest, ATaskOutlivesItsAgentAndIsFoundAgain) {
  StartRunner();
  const LaunchContainer order = Order(1, {"sleep", "1000"});
  Command(order);
  const int64_t pid = Await<ContainerStarted>(1).pid;
  runner_.reset();
  EXPECT_TRUE(Lives(static_cast<pid_t>(pid)));
  StartRunner();
  Command(KeepContainers{{order.launch->attempt}});
  Command(RecoverContainer{order.launch, order.agent});
  EXPECT_EQ(Await<ContainerStarted>(1).pid, pid);
  Command(KillContainer{{1, 1}, 0});
  EXPECT_EQ(Await<ContainerEnded>(1).signal, SIGKILL);
}

TEST_P(RunnerTest, AnEndThatNoAgentSawIsNotLost) {
  StartRunner();
  MakeFifo("go");
  const LaunchContainer order = Script(1, "read line < $DIR/go; exit 9");
  Command(order);
  const auto pid = static_cast<pid_t>(Await<ContainerStarted>(1).pid);
  const pid_t shim = ShimOf(pid);
  runner_.reset();
  std::ofstream(dir_ + "/go") << "go\n";
  AwaitEnd(shim);  // Nobody is there, so it leaves its word and goes.
  StartRunner();
  Command(RecoverContainer{order.launch, order.agent});
  EXPECT_EQ(Await<ContainerEnded>(1).exit_code, 9);
}

TEST_P(RunnerTest, NothingIsStartedTwiceEvenIfItIsLaunchedTwice) {
  StartRunner();
  MakeFifo("ready");
  const LaunchContainer order =
      Script(1, "echo x >> $DIR/starts; echo ok > $DIR/ready; exec sleep 1000");
  Command(order);
  const int64_t pid = Await<ContainerStarted>(1).pid;
  EXPECT_EQ(ReadFifo("ready"), "ok");
  runner_.reset();
  StartRunner();
  Command(order);  // As if nothing had been there.
  EXPECT_EQ(Await<ContainerStarted>(1).pid, pid);
  Command(KillContainer{{1, 1}, 0});
  Await<ContainerEnded>(1);
  EXPECT_EQ(ReadFile(dir_ + "/starts"), "x\n");
}

TEST_P(RunnerTest, WhatWasNeverSpawnedHasNoTraceAndMayBeLaunched) {
  StartRunner();
  const LaunchContainer order = Order(1, {"true"});
  Command(RecoverContainer{order.launch, order.agent});
  Await<NoTrace>(1);
  Command(order);
  EXPECT_EQ(Await<ContainerEnded>(1).exit_code, 0);
}

TEST_P(RunnerTest, AnAgentThatDiesBetweenLookingAndLaunchingHasStartedNothing) {
  StartRunner();
  const LaunchContainer order = Order(1, {"true"});
  Command(RecoverContainer{order.launch, order.agent});
  Await<NoTrace>(1);
  runner_.reset();
  StartRunner();
  Command(RecoverContainer{order.launch, order.agent});
  Await<NoTrace>(1);
  Command(order);
  EXPECT_EQ(Await<ContainerEnded>(1).exit_code, 0);
}

TEST_P(RunnerTest, ALostShimTakesItsTaskWithIt) {
  StartRunner();
  MakeFifo("pids");
  Command(Script(1, "setsid sleep 1000 & echo $! > $DIR/pids; exec sleep 1001"));
  const pid_t hidden = atoi(ReadFifo("pids").c_str());
  const auto pid = static_cast<pid_t>(Await<ContainerStarted>(1).pid);
  kill(ShimOf(pid), SIGKILL);
  Await<ShimLost>(1);
  AwaitEnd(pid);
  if (contained()) return;  // Its number is that of the container, which is no more.
  AwaitEnd(hidden);
  EXPECT_FALSE(Lives(hidden));
}

TEST_P(RunnerTest, AShimLostWhileTheAgentWasAwayIsToldAsLost) {
  StartRunner();
  const LaunchContainer order = Order(1, {"sleep", "1000"});
  Command(order);
  const auto pid = static_cast<pid_t>(Await<ContainerStarted>(1).pid);
  const pid_t shim = ShimOf(pid);
  runner_.reset();
  kill(shim, SIGKILL);
  AwaitEnd(shim);
  StartRunner();
  Command(RecoverContainer{order.launch, order.agent});
  Await<ShimLost>(1);
}

TEST_P(RunnerTest, ALostRunDirectoryIsNotTakenForATaskThatNeverWas) {
  StartRunner();
  const LaunchContainer order = Order(1, {"sleep", "1000"});
  Command(order);
  const auto pid = static_cast<pid_t>(Await<ContainerStarted>(1).pid);
  runner_.reset();
  const int run = open(options_.runtime_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  EXPECT_EQ(isolator::DeleteTree(run, "1-1"), "");
  close(run);
  StartRunner();
  Command(RecoverContainer{order.launch, order.agent});
  Await<ShimLost>(1);
  AwaitEnd(pid);
  EXPECT_FALSE(Lives(pid));
}

TEST_P(RunnerTest, ALostMarkerDoesNotHideALiveShim) {
  StartRunner();
  const LaunchContainer order = Order(1, {"sleep", "1000"});
  Command(order);
  const int64_t pid = Await<ContainerStarted>(1).pid;
  runner_.reset();
  ASSERT_EQ(unlink((options_.runtime_dir + "/1-1/started").c_str()), 0);
  StartRunner();
  Command(RecoverContainer{order.launch, order.agent});
  EXPECT_EQ(Await<ContainerStarted>(1).pid, pid);
}

TEST_P(RunnerTest, WhatLivesOfNoTaskIsFoundWithoutARunDirectory) {
  StartRunner();
  Command(Order(1, {"sleep", "1000"}));
  const auto pid = static_cast<pid_t>(Await<ContainerStarted>(1).pid);
  runner_.reset();
  const int run = open(options_.runtime_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  EXPECT_EQ(isolator::DeleteTree(run, "1-1"), "");
  close(run);
  StartRunner();
  Command(KeepContainers{});
  AwaitEnd(pid);
  EXPECT_FALSE(Lives(pid));
}

TEST_P(RunnerTest, WhatHasEndedOnPaperDoesNotLive) {
  StartRunner();
  const LaunchContainer order = Order(1, {"sleep", "1000"});
  Command(order);
  const auto pid = static_cast<pid_t>(Await<ContainerStarted>(1).pid);
  runner_.reset();
  StartRunner();
  Command(KeepContainers{{}, {order.launch->attempt}});
  AwaitEnd(pid);
  EXPECT_FALSE(Lives(pid));
  EXPECT_EQ(access(SandboxOf(order).c_str(), F_OK), 0);
}

TEST_P(RunnerTest, StopsATaskWhoseAgentIsAwayForTooLong) {
  StartRunner();
  const LaunchContainer order =
      With(Order(1, {"sleep", "1000"}), [](auto* task) { task->stop_after_disconnect_ms = 50; });
  Command(order);
  const auto pid = static_cast<pid_t>(Await<ContainerStarted>(1).pid);
  const pid_t shim = ShimOf(pid);
  runner_.reset();
  AwaitEnd(shim);
  StartRunner();
  Command(RecoverContainer{order.launch, order.agent});
  EXPECT_EQ(Await<ContainerEnded>(1).cause, EndCause::kDisconnected);
}

TEST_P(RunnerTest, KillsContainersThatNobodyKnows) {
  StartRunner();
  Command(Order(1, {"sleep", "1000"}));
  const LaunchContainer kept = Order(2, {"sleep", "1000"});
  Command(kept);
  const auto first = static_cast<pid_t>(Await<ContainerStarted>(1).pid);
  const auto second = static_cast<pid_t>(Await<ContainerStarted>(2).pid);
  runner_.reset();
  StartRunner();
  Command(KeepContainers{{{1, 2}}});
  AwaitEnd(first);
  EXPECT_FALSE(Lives(first));
  // Its turn comes later than that of the others.
  Command(RecoverContainer{kept.launch, kept.agent});
  EXPECT_EQ(Await<ContainerStarted>(2).pid, second);
  EXPECT_TRUE(Lives(second));
  EXPECT_EQ(WaitingEvents(), 0u);
}

TEST_P(RunnerTest, ForgettingRemovesTheRunDirectoryAndKeepsTheNewestSandboxes) {
  options_.keep_ended_sandboxes = 2;
  StartRunner();
  std::vector<LaunchContainer> orders;
  for (uint64_t n = 1; n <= 5; ++n) {
    orders.push_back(Script(n, "mkdir -p a/b; ln -s / a/root; echo done"));
    Command(orders.back());
    Await<ContainerStarted>(n);
    Await<ContainerEnded>(n);
    Command(Forgetting(orders.back()));
  }
  // The answer to this comes after everything before was carried out.
  Command(RecoverContainer{Order(99, {"true"}).launch, agent_});
  Await<NoTrace>(99);
  runner_->sandboxes().WaitUntilIdle();
  for (uint64_t n = 1; n <= 5; ++n) {
    EXPECT_EQ(access(SandboxOf(orders[n - 1]).c_str(), F_OK) == 0, n > 3) << n;
    EXPECT_NE(access(absl::StrCat(dir_, "/run/1-", n).c_str(), F_OK), 0) << n;
  }
  EXPECT_EQ(OutputOf(orders[4]), "done\n");
}

TEST_P(RunnerTest, RotatesLogsAndCountsOnFromTheBeginning) {
  options_.log_file_bytes = 8192;
  options_.log_files = 3;
  StartRunner();
  // 5000 lines of 8 bytes: what stands at an offset is known from the offset.
  const LaunchContainer order = Script(1, "seq -f %07.0f 0 4999");
  Command(order);
  Await<ContainerEnded>(1);
  const std::string sandbox = SandboxOf(order);
  EXPECT_EQ(ReadFile(sandbox + "/stdout.1").size(), 8192u);
  EXPECT_EQ(ReadFile(sandbox + "/stdout.2").size(), 8192u);
  EXPECT_NE(access((sandbox + "/stdout.3").c_str(), F_OK), 0);

  auto fd = runner_->sandboxes().OpenFd({order.launch->framework, order.launch->task.id},
                                        order.launch->attempt);
  ASSERT_TRUE(fd.ok());
  auto all = ReadLog(*fd, "stdout", 0, 1 << 20);
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->end, 40'000);
  EXPECT_EQ(all->offset, 40'000 - 40'000 % 8192 - 2 * 8192);
  EXPECT_EQ(all->offset + static_cast<int64_t>(all->data.size()), all->end);
  EXPECT_EQ(all->data.substr(0, 8), "0002048\n");
  auto last = ReadLog(*fd, "stdout", -8, 100);
  EXPECT_EQ(last->data, "0004999\n");
  EXPECT_EQ(last->offset, 39'992);
  auto across = ReadLog(*fd, "stdout", 32'760, 16);
  EXPECT_EQ(across->data, "0004095\n0004096\n");
  auto beyond = ReadLog(*fd, "stdout", 50'000, 16);
  EXPECT_EQ(beyond->data, "");
  EXPECT_EQ(beyond->offset, 40'000);
  close(*fd);
}

TEST_P(RunnerTest, AReaderSeesTheRightBytesWhileLogsRotateUnderIt) {
  options_.log_file_bytes = 16'384;
  options_.log_files = 4;
  StartRunner();
  const int64_t lines = 400'000;
  const LaunchContainer order = Order(1, {"seq", "-f", "%07.0f", "0", absl::StrCat(lines - 1)});
  Command(order);
  Await<ContainerStarted>(1);
  auto fd = runner_->sandboxes().OpenFd({order.launch->framework, order.launch->task.id},
                                        order.launch->attempt);
  ASSERT_TRUE(fd.ok());
  int64_t offset = 0;
  int64_t pieces = 0;
  while (offset < lines * 8) {
    auto piece = ReadLog(*fd, "stdout", offset, 5'000);
    if (!piece.ok()) continue;  // Being rotated: ask again.
    ASSERT_GE(piece->offset, offset);
    for (size_t i = 0; i < piece->data.size(); i += 97) {
      const int64_t at = piece->offset + static_cast<int64_t>(i);
      char expected[16];
      snprintf(expected, sizeof(expected), "%07d\n", static_cast<int>(at / 8));
      ASSERT_EQ(piece->data[i], expected[at % 8]) << "at " << at;
    }
    if (!piece->data.empty()) ++pieces;
    offset = piece->offset + static_cast<int64_t>(piece->data.size());
  }
  EXPECT_GT(pieces, 3);
  close(*fd);
  EXPECT_EQ(Await<ContainerEnded>(1).exit_code, 0);
}

TEST_P(RunnerTest, RunsManyAtOnce) {
  StartRunner();
  for (uint64_t n = 1; n <= 200; ++n) Command(Order(n, {"true"}));
  for (uint64_t n = 1; n <= 200; ++n) EXPECT_EQ(Await<ContainerEnded>(n).exit_code, 0);
}

TEST_P(RunnerTest, APlanOfTheGreatestSizeArrives) {
  StartRunner();
  std::vector<std::string> argv = {"true"};
  for (int i = 0; i < 120; ++i) argv.push_back(std::string(1000, 'x'));
  for (uint64_t n = 1; n <= 10; ++n) Command(Order(n, argv));
  for (uint64_t n = 1; n <= 10; ++n) EXPECT_EQ(Await<ContainerEnded>(n).exit_code, 0);
}

INSTANTIATE_TEST_SUITE_P(Worlds, RunnerTest,
                         ::testing::Values(World::kPosix, World::kContainers,
                                           World::kContainersWithoutUnified),
                         [](const auto& info) { return NameOf(info.param); });

}  // namespace
}  // namespace proffer::agent
