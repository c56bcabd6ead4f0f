// Containers against the kernel: limits that hold, views that are one's own, ends that are told as
// they were, and nothing left behind. Needs root and cgroups.
#include <dirent.h>
#include <sys/socket.h>

#include "common/base/clock.h"
#include "support/hostile_plans.h"
#include "support/runner_fixture.h"

namespace proffer::agent {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ContainerTest : public RunnerFixture, public ::testing::WithParamInterface<World> {
 protected:
  ContainerTest() : RunnerFixture(GetParam()) {}

  LaunchContainer Limited(uint64_t n, const std::string& script, const std::string& resources,
                          const std::vector<std::string>& fields = {}) {
    return With(Script(n, script, fields),
                [&](model::TaskSpec* task) { task->resources = *Resources::Parse(resources); });
  }
  int64_t CpuMs(uint64_t cpu_us) { return static_cast<int64_t>(cpu_us / 1000); }
};

TEST_P(ContainerTest, AnyOomKillEndsTheContainerWhateverTheExitCode) {
  StartRunner();
  // Only the second process of the pipe is killed; the shell itself would go on and exit 0.
  Command(Limited(1, "head -c 400m /dev/zero | tail -n 1 | wc -c; sleep 1000", "cpus:1;mem:64MiB"));
  const ContainerEnded ended = Await<ContainerEnded>(1);
  EXPECT_EQ(ended.cause, EndCause::kMemoryLimit);
  EXPECT_EQ(ended.memory_limit_bytes, 64u << 20);
  EXPECT_GT(ended.memory_peak_bytes, 60u << 20);
}

TEST_P(ContainerTest, AShellThatWouldExitZeroAfterAnOomKillHasNotFinished) {
  StartRunner();
  Command(Limited(1, "head -c 400m /dev/zero | tail -n 1 | wc -c", "cpus:1;mem:64MiB"));
  EXPECT_EQ(Await<ContainerEnded>(1).cause, EndCause::kMemoryLimit);
}

TEST_P(ContainerTest, AForkBombIsHeldAndDiesWithItsContainer) {
  StartRunner();
  MakeFifo("told");
  // The first process forks once, before there is a bomb: a shell that may not fork ends.
  const LaunchContainer bomb =
      Limited(1, "echo go > $DIR/told; b() { b | b & }; b 2>/dev/null & exec sleep 1000",
              "cpus:1;mem:256MiB", {"pids=40"});
  Command(bomb);
  Await<ContainerStarted>(1);
  EXPECT_EQ(ReadFifo("told"), "go");
  // A neighbour can fork all the while.
  for (uint64_t n = 2; n <= 10; ++n) {
    Command(Order(n, {"true"}));
    EXPECT_EQ(Await<ContainerEnded>(n).exit_code, 0);
  }
  Command(KillContainer{{1, 1}, 0});
  EXPECT_EQ(Await<ContainerEnded>(1).cause, EndCause::kKilled);
}

TEST_P(ContainerTest, AQuotaIsAllTheProcessorThereIs) {
  StartRunner();
  const Time before = BootTimeNow();
  // Ends by itself after one second on the clock, however little it got to run.
  Command(Limited(1, "end=$(($(date +%s) + 2)); while [ $(date +%s) -lt $end ]; do :; done",
                  "cpus:1;mem:64MiB", {"quota=200"}));
  const ContainerEnded ended = Await<ContainerEnded>(1);
  EXPECT_EQ(ended.exit_code, 0);
  const int64_t wall_ms = BootTimeNow() - before;
  // A fifth, and a period more for the beginning.
  EXPECT_LE(CpuMs(ended.cpu_us), wall_ms / 5 + 40);
}

TEST_P(ContainerTest, ATaskSeesItsOwnAndNobodyElses) {
  StartRunner();
  const LaunchContainer order =
      Script(1,
             "echo pids $(ls /proc | grep -c '^[0-9]'); echo me $$; ls /dev | tr '\\n' ' '; echo; "
             "echo tmp $(ls -A /tmp | wc -l); echo x > /tmp/mine && ls $PROFFER_SANDBOX/.tmp; "
             "grep CapBnd /proc/self/status; grep CapEff /proc/self/status; "
             "head -c 1 /proc/kcore | wc -c; "
             "echo 1 2>/dev/null > /proc/sys/kernel/panic || echo sys-ro; "
             "mkdir /sys/fs/cgroup/x 2>/dev/null || echo cg-ro; "
             "readlink /proc/self/ns/pid /proc/self/ns/mnt /proc/self/ns/ipc /proc/self/ns/uts "
             "/proc/self/ns/cgroup; cat /proc/self/cgroup | head -n 20 | grep -c -v ':/$'");
  Command(order);
  EXPECT_EQ(Await<ContainerEnded>(1).exit_code.has_value(), true);
  const std::string output = OutputOf(order);
  EXPECT_THAT(output, ContainsRegex("^pids [2345]\n"));
  EXPECT_THAT(output, HasSubstr("\nme 2\n"));
  EXPECT_THAT(output,
              HasSubstr("\nfd full null ptmx pts random shm stderr stdin stdout tty urandom "
                        "zero \n"));
  EXPECT_THAT(output, HasSubstr("\ntmp 0\nmine\n"));
  EXPECT_THAT(output, HasSubstr("CapBnd:\t0000000000000000\nCapEff:\t0000000000000000\n0\n"));
  EXPECT_THAT(output, HasSubstr("sys-ro\ncg-ro\n"));
  for (const char* which : {"pid", "mnt", "ipc", "uts", "cgroup"}) {
    char target[64] = {};
    ASSERT_GT(readlink(absl::StrCat("/proc/self/ns/", which).c_str(), target, 63), 0);
    EXPECT_THAT(output, Not(HasSubstr(target))) << which;
  }
}

TEST_P(ContainerTest, ASandboxInTmpIsSeenThroughThePrivateTmp) {
  char name[] = "/tmp/proffer-sandbox-XXXXXX";
  const std::string work = mkdtemp(name);
  chmod(work.c_str(), 0711);
  options_.work_dir = work;
  launcher_.reset();
  StartLauncher();
  StartRunner();
  const LaunchContainer order = Script(1, "pwd; ls -A /tmp; echo here > file", {"user=nobody"});
  Command(order);
  EXPECT_EQ(Await<ContainerEnded>(1).exit_code, 0) << OutputOf(order, "stderr");
  EXPECT_EQ(OutputOf(order), absl::StrCat(SandboxOf(order), "\n", work.substr(5), "\n"));
  EXPECT_EQ(ReadFile(SandboxOf(order) + "/file"), "here\n");
  const int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  runner_.reset();
  EXPECT_EQ(isolator::DeleteTree(tmp, work.substr(5)), "");
  close(tmp);
}

TEST_P(ContainerTest, CapabilitiesAreKeptOnlyIfTheyAreAskedForAndAllowed) {
  StartLauncher({}, {"capabilities = NET_BIND_SERVICE"});
  StartRunner();
  const LaunchContainer order = Script(1, "grep -E 'Cap(Eff|Amb)' /proc/self/status",
                                       {"user=nobody", "cap=net_bind_service"});
  Command(order);
  EXPECT_EQ(Await<ContainerEnded>(1).exit_code, 0);
  EXPECT_EQ(OutputOf(order), "CapEff:\t0000000000000400\nCapAmb:\t0000000000000400\n");
  Command(Script(2, "true", {"cap=SYS_ADMIN"}));
  EXPECT_THAT(Await<LaunchFailed>(2).message, HasSubstr("capability SYS_ADMIN may not be kept"));
  Command(Script(3, "true", {"cap=FLY"}));
  EXPECT_THAT(Await<LaunchFailed>(3).message, HasSubstr("capability 'FLY' is unknown"));
}

// What a broken agent could ask for, over the real socket.
TEST_P(ContainerTest, RefusesHostilePlansAndNothingIsChangedByThem) {
  launcher_.reset();
  testing::LauncherProcess::Options options;
  options.directory = dir_ + "/l";
  options.run_root = dir_ + "/run";
  options.sandbox_root = dir_ + "/work/sandboxes";
  options.cgroup_root = "proffer-test-hostile";
  options.users = "1000-59999 65534";
  options.settings = {"capabilities = NET_BIND_SERVICE"};
  testing::LauncherProcess launcher(options);
  LauncherLink link(launcher.socket());
  ASSERT_TRUE(link.Connect());
  std::vector<LauncherLink::Answer> answers;
  const auto await = [&](size_t count) {
    while (answers.size() < count) {
      pollfd wait = {link.fd(), static_cast<short>(POLLIN | (link.wants_to_write() ? POLLOUT : 0)),
                     0};
      ASSERT_GT(poll(&wait, 1, kPatienceMs), 0);
      ASSERT_TRUE(link.Serve(&answers)) << "the launcher has hung up";
    }
  };
  await(1);
  ASSERT_TRUE(link.ready());
  const auto hostile = testing::HostilePlans(options.run_root, options.sandbox_root);
  size_t sent = 0;
  for (const testing::Hostile& one : hostile) {
    isolator::LaunchPlan plan = testing::GoodPlan(options.run_root, options.sandbox_root);
    one.change(&plan);
    int pair[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    link.Launch(plan, pair[1]);
    await(++sent + 1);
    EXPECT_EQ(answers.back().type, launcher::Type::kRefused);
    // What cannot even be read has no better name.
    EXPECT_THAT(answers.back().text,
                ::testing::AnyOf(HasSubstr(one.expected), HasSubstr("cannot be read")));
    close(pair[0]);
  }
  for (const char* path : {"", "..", "/etc", "a/../../b", "a//b"}) {
    link.DeleteSandbox(path);
    link.Destroy(path);
    sent += 2;
    await(sent + 1);
    EXPECT_EQ(answers[answers.size() - 2].type, launcher::Type::kRefused) << path;
    EXPECT_EQ(answers.back().type, launcher::Type::kRefused) << path;
  }
  EXPECT_GE(sent, 100u);
  EXPECT_THAT(launcher.Groups(), IsEmpty());
  EXPECT_NE(access(options.run_root.c_str(), F_OK), 0);
  EXPECT_EQ(ParentOf(launcher.pid()), getpid());
}

// The launcher can contain, and the agent does not want it: then no group tells what to kill.
TEST_P(ContainerTest, WithoutContainersByChoiceALostShimStillTakesItsTaskWithIt) {
  options_.isolation = Isolation::kPosix;
  StartRunner();
  MakeFifo("pids");
  MakeFifo("never");
  Command(
      Script(1, "setsid sh -c 'echo $$ > $DIR/pids; read line < $DIR/never' & exec sleep 1001"));
  const pid_t hidden = atoi(ReadFifo("pids").c_str());
  const auto pid = static_cast<pid_t>(Await<ContainerStarted>(1).pid);
  kill(ParentOf(pid), SIGKILL);
  Await<ShimLost>(1);
  AwaitEnd(pid);
  AwaitEnd(hidden);
  EXPECT_FALSE(Lives(hidden));
}

// At every step at which the launcher, a shim or both may die, the task has exactly one end, and
// nothing of it is left.
TEST_P(ContainerTest, WhereverAProcessDiesTheTaskHasOneEndAndNothingIsLeft) {
  const std::vector<std::string> places = {
      "launcher:plan-checked", "launcher:forked",    "shim:forked",      "shim:claimed",
      "shim:logs-opened",      "shim:cgroups-made",  "shim:init-cloned", "shim:cgroups-entered",
      "shim:task-started",     "shim:task-ended",    "shim:swept",       "shim:cgroups-removed",
      "shim:exit-written",     "shim:exit-published"};
  uint64_t n = 0;
  for (const std::string& place : places) {
    SCOPED_TRACE(place);
    ++n;
    const std::string once = dir_ + "/once";
    std::ofstream(once).close();
    runner_.reset();
    StartLauncher({absl::StrCat("PROFFER_FAILPOINT=", place, "@", once)});
    StartRunner();
    const LaunchContainer order = Script(n, "echo x >> $DIR/ran-$PROFFER_TASK_ID; exit 5");
    Command(order);
    // A launcher is started again by whoever supervises it.
    if (absl::StartsWith(place, "launcher:")) {
      int status = 0;
      ASSERT_EQ(waitpid(launcher_->pid(), &status, 0), launcher_->pid());
      launcher_->Start();
    }
    MutexLock lock(&mutex_);
    int ends = 0;
    bool ran_to_its_end = false;
    for (;;) {
      for (const Event& event : events_) {
        if (auto* ended = std::get_if<ContainerEnded>(&event)) {
          ++ends;
          ran_to_its_end = true;
          EXPECT_EQ(ended->exit_code, 5);
        }
        if (std::holds_alternative<ShimLost>(event)) ++ends;
        if (auto* failed = std::get_if<LaunchFailed>(&event)) {
          ADD_FAILURE() << failed->message;
          ++ends;
        }
      }
      events_.clear();
      if (ends > 0) break;
      ASSERT_TRUE(changed_.WaitFor(&mutex_, kPatienceMs));
    }
    EXPECT_EQ(ends, 1);
    EXPECT_NE(access(once.c_str(), F_OK), 0) << "nothing has died";
    // Before the marker is set nothing has happened, so it is done again; later the end of the shim
    // is the end of the task, unless its word was out.
    const bool nothing_had_happened =
        absl::StartsWith(place, "launcher:") || place == "shim:forked";
    EXPECT_EQ(ran_to_its_end, nothing_had_happened || place == "shim:exit-published");
    const std::string ran = ReadFile(absl::StrCat(dir_, "/ran-task-", n));
    EXPECT_LE(ran.size(), 2u) << "started twice";
  }
  Command(KeepContainers{});
  AwaitNoGroups();
  EXPECT_THAT(launcher_->Groups(), IsEmpty());
}

TEST_P(ContainerTest, AfterManyTasksEverythingIsAsItWas) {
  const char* told = getenv("PROFFER_LAUNCHES");
  const uint64_t count = told == nullptr ? 300 : strtoull(told, nullptr, 10);
  StartRunner();
  Command(Order(1, {"true"}));
  Await<ContainerEnded>(1);
  Command(Forgetting(Order(1, {"true"})));
  const auto descriptors = [](pid_t pid) {
    int found = 0;
    DIR* stream = opendir(absl::StrCat("/proc/", pid, "/fd").c_str());
    while (stream != nullptr && readdir(stream) != nullptr) ++found;
    if (stream != nullptr) closedir(stream);
    return found;
  };
  const auto mounts = [](pid_t pid) {
    const std::string text = ReadFile(absl::StrCat("/proc/", pid, "/mountinfo"));
    return std::count(text.begin(), text.end(), '\n');
  };
  Command(RecoverContainer{Order(9'999'999, {"true"}).launch, agent_});
  Await<NoTrace>(9'999'999);
  const int ours = descriptors(getpid());
  const int launchers = descriptors(launcher_->pid());
  const auto mounts_before = mounts(getpid());
  const auto mounts_of_launcher = mounts(launcher_->pid());
  constexpr uint64_t kAtOnce = 50;
  for (uint64_t first = 2; first < count; first += kAtOnce) {
    for (uint64_t n = first; n < first + kAtOnce; ++n) {
      Command(n % 3 == 0 ? Order(n, {"sleep", "1000"}) : Order(n, {"true"}));
    }
    for (uint64_t n = first; n < first + kAtOnce; ++n) {
      if (n % 3 == 0) {
        Await<ContainerStarted>(n);
        Command(KillContainer{{1, n}, 0});
      }
      Await<ContainerEnded>(n);
      Command(Forgetting(Order(n, {"true"})));
    }
    MutexLock lock(&mutex_);
    events_.clear();
    pids_.clear();
  }
  Command(RecoverContainer{Order(9'999'998, {"true"}).launch, agent_});
  Await<NoTrace>(9'999'998);
  runner_->sandboxes().WaitUntilIdle();
  EXPECT_THAT(launcher_->Groups(), IsEmpty());
  EXPECT_EQ(descriptors(getpid()), ours);
  EXPECT_EQ(descriptors(launcher_->pid()), launchers);
  EXPECT_EQ(mounts(getpid()), mounts_before);
  EXPECT_EQ(mounts(launcher_->pid()), mounts_of_launcher);
  int run_directories = 0;
  DIR* stream = opendir(options_.runtime_dir.c_str());
  while (const dirent* entry = readdir(stream)) run_directories += entry->d_name[0] != '.';
  closedir(stream);
  EXPECT_LE(run_directories, 2);  // Those of the two that were only looked for.
}

INSTANTIATE_TEST_SUITE_P(Worlds, ContainerTest,
                         ::testing::Values(World::kContainers, World::kContainersWithoutUnified),
                         [](const auto& info) { return NameOf(info.param); });

}  // namespace
}  // namespace proffer::agent
