// What tests of the runner share: a launcher, a runner, orders, and waiting for events.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "agent/runner.h"
#include "common/base/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "isolator/filesystem/delete_tree.h"
#include "support/launcher_process.h"

namespace proffer::agent {

inline constexpr int64_t kPatienceMs = 20'000;

inline std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

inline bool Lives(pid_t pid) {
  const std::string stat = ReadFile(absl::StrCat("/proc/", pid, "/stat"));
  const size_t end = stat.rfind(')');
  return end != std::string::npos && stat[end + 2] != 'Z' && stat[end + 2] != 'X';
}

inline pid_t ParentOf(pid_t pid) {
  const std::string stat = ReadFile(absl::StrCat("/proc/", pid, "/stat"));
  return atoi(stat.c_str() + stat.rfind(')') + 4);
}

// Waits until a process has ended, whoever reaps it.
inline void AwaitEnd(pid_t pid) {
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return;
  pollfd wait = {fd, POLLIN, 0};
  EXPECT_EQ(poll(&wait, 1, kPatienceMs), 1);
  close(fd);
}

enum class World { kPosix, kContainers, kContainersWithoutUnified };

inline std::string NameOf(World world) {
  if (world == World::kPosix) return "posix";
  return world == World::kContainers ? "containers" : "without_unified";
}

// A runner with a launcher of its own, in a directory of its own.
class RunnerFixture : public ::testing::Test {
 protected:
  explicit RunnerFixture(World world) : world_(world) {
    // Not in /tmp if it can be helped: containers have one of their own.
    base_ = geteuid() == 0 ? "/run" : "/tmp";
    std::string name = base_ + "/proffer-runner-XXXXXX";
    dir_ = mkdtemp(name.data());
    // Other tests look for what is left of theirs by such an id.
    agent_ = model::AgentId("agent-" + dir_.substr(dir_.size() - 6));
    // Shims and tasks of any user must be able to pass.
    chmod(dir_.c_str(), 0755);
    options_.work_dir = dir_ + "/work";
    options_.runtime_dir = dir_ + "/run";
    options_.launcher_socket = dir_ + "/l/s";
    options_.host = "host-1";
    options_.decode = [](const model::Payload& payload) -> absl::StatusOr<CommandSpec> {
      // Lines: "user=x", "cwd=x", "env=A=b", "limit=kind soft hard", "quota=200", "pids=9",
      // "cap=NAME", "arg=x".
      CommandSpec spec;
      std::string args;
      for (absl::string_view line : absl::StrSplit(*payload, '\x1f')) {
        const std::pair<std::string, std::string> field =
            absl::StrSplit(line, absl::MaxSplits('=', 1));
        if (field.first == "user") spec.user = field.second;
        if (field.first == "cwd") spec.working_directory = field.second;
        if (field.first == "env") {
          spec.environment.push_back(absl::StrSplit(field.second, absl::MaxSplits('=', 1)));
        }
        if (field.first == "limit") {
          const std::vector<std::string> parts = absl::StrSplit(field.second, ' ');
          isolator::RlimitNeed limit{parts[0], 0, 0};
          EXPECT_TRUE(absl::SimpleAtoi(parts[1], &limit.soft));
          EXPECT_TRUE(absl::SimpleAtoi(parts[2], &limit.hard));
          spec.limits.push_back(limit);
        }
        int64_t number = 0;
        if (field.first == "quota" && absl::SimpleAtoi(field.second, &number)) {
          spec.cpu_limit_milli = number;
        }
        if (field.first == "pids" && absl::SimpleAtoi(field.second, &number)) {
          spec.pids_limit = number;
        }
        if (field.first == "cap") spec.capabilities.push_back(field.second);
        if (field.first == "arg") spec.argv.push_back(field.second);
      }
      return spec;
    };
  }
  void SetUp() override {
    if (contained() && !testing::CanContain(world_ != World::kContainersWithoutUnified)) {
      GTEST_SKIP() << "containers of this kind need root and cgroups";
    }
    StartLauncher();
  }
  ~RunnerFixture() override {
    // Whatever still runs ends with its runner's containers.
    if (launcher_ != nullptr) {
      if (launcher_->pid() == 0) launcher_->Start();
      if (runner_ == nullptr) StartRunner();
      Command(KeepContainers{});
      for (const auto& [attempt, pid] : pids_) AwaitEnd(pid);
      AwaitNoGroups();
      runner_.reset();
      if (contained()) {
        EXPECT_THAT(launcher_->Groups(), ::testing::IsEmpty());
      }
      launcher_.reset();
    }
    const int base = open(base_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    EXPECT_EQ(isolator::DeleteTree(base, dir_.substr(base_.size() + 1)), "");
    close(base);
  }

  bool contained() const { return world_ != World::kPosix; }
  void StartLauncher(const std::vector<std::string>& environment = {},
                     const std::vector<std::string>& settings = {}) {
    mkdir((dir_ + "/l").c_str(), 0700);
    testing::LauncherProcess::Options options;
    options.directory = dir_ + "/l";
    options.run_root = options_.runtime_dir;
    options.sandbox_root = options_.work_dir + "/sandboxes";
    if (contained()) options.cgroup_root = "proffer-test-" + dir_.substr(dir_.size() - 6);
    options.settings = settings;
    if (world_ == World::kContainersWithoutUnified) options.settings.push_back("unified = no");
    options.environment = environment;
    if (!environment.empty()) options.program = "proffer-launcher-failpoints";
    launcher_.reset();
    launcher_ = std::make_unique<testing::LauncherProcess>(options);
  }
  // Pure v1 tells nobody when a group goes, so it is looked for.
  void AwaitNoGroups() const {
    for (int i = 0; contained() && i < kPatienceMs && !launcher_->Groups().empty(); ++i) {
      usleep(1000);
    }
  }
  // The shim that watches over a task's process.
  pid_t ShimOf(pid_t task) const { return contained() ? ParentOf(ParentOf(task)) : ParentOf(task); }

  void StartRunner() {
    auto runner = Runner::Create(options_, [this](Event event) {
      MutexLock lock(&mutex_);
      events_.push_back(std::move(event));
      changed_.SignalAll();
    });
    ASSERT_TRUE(runner.ok()) << runner.status();
    runner_ = *std::move(runner);
  }
  void Command(ContainerCommand command) { runner_->Do(command); }

  LaunchContainer Order(uint64_t n, const std::vector<std::string>& argv,
                        const std::vector<std::string>& fields = {}) {
    std::vector<std::string> lines = fields;
    for (const std::string& arg : argv) lines.push_back("arg=" + arg);
    auto order = std::make_shared<model::LaunchTask>();
    order->framework = model::FrameworkId("fw");
    order->attempt = {1, n};
    order->task.id = model::TaskId(absl::StrCat("task-", n));
    order->task.payload = std::make_shared<const std::string>(absl::StrJoin(lines, "\x1f"));
    order->task.resources = *Resources::Parse("cpus:1;ports:[31005,31000-31001]");
    return {order, agent_};
  }
  static LaunchContainer With(const LaunchContainer& order,
                              const std::function<void(model::TaskSpec*)>& change) {
    auto changed = std::make_shared<model::LaunchTask>(*order.launch);
    change(&changed->task);
    return {changed, order.agent};
  }
  // Runs a shell script as task n, with the test's directory as $DIR.
  LaunchContainer Script(uint64_t n, const std::string& script,
                         std::vector<std::string> fields = {}) {
    fields.push_back("env=DIR=" + dir_);
    return Order(n, {"sh", "-c", script}, fields);
  }

  // The first event of that kind about attempt n; each is told once.
  template <typename T>
  T Await(uint64_t n) {
    MutexLock lock(&mutex_);
    for (;;) {
      for (auto it = events_.begin(); it != events_.end(); ++it) {
        const T* event = std::get_if<T>(&*it);
        if (event == nullptr || event->attempt.n != n) continue;
        const T found = *event;
        events_.erase(it);
        if constexpr (std::is_same_v<T, ContainerStarted>) {
          pids_[n] = static_cast<pid_t>(found.pid);
        }
        return found;
      }
      if (!changed_.WaitFor(&mutex_, kPatienceMs)) {
        ADD_FAILURE() << "the event did not come";
        for (const Event& event : events_) {
          if (auto* failed = std::get_if<LaunchFailed>(&event)) {
            ADD_FAILURE() << "but a launch failed: " << failed->message;
          }
        }
        return T{};
      }
    }
  }
  size_t WaitingEvents() {
    MutexLock lock(&mutex_);
    return events_.size();
  }

  // A task and the test meet: the task writes a line to the fifo, the test reads it.
  void MakeFifo(const std::string& name) {
    ASSERT_EQ(mkfifo(absl::StrCat(dir_, "/", name).c_str(), 0666), 0);
    chmod(absl::StrCat(dir_, "/", name).c_str(), 0666);
  }
  std::string ReadFifo(const std::string& name) {
    std::ifstream fifo(absl::StrCat(dir_, "/", name));
    std::string line;
    std::getline(fifo, line);
    return line;
  }

  std::string SandboxOf(const LaunchContainer& order) {
    return runner_->sandboxes().PathOf({order.launch->framework, order.launch->task.id},
                                       order.launch->attempt);
  }
  std::string OutputOf(const LaunchContainer& order, const std::string& stream = "stdout") {
    return ReadFile(absl::StrCat(SandboxOf(order), "/", stream));
  }
  static ForgetContainer Forgetting(const LaunchContainer& order) {
    return {{order.launch->framework, order.launch->task.id}, order.launch->attempt};
  }

  const World world_;
  std::string base_;
  std::string dir_;
  model::AgentId agent_;
  Runner::Options options_;
  std::unique_ptr<testing::LauncherProcess> launcher_;
  std::unique_ptr<Runner> runner_;
  std::map<uint64_t, pid_t> pids_;
  Mutex mutex_;
  CondVar changed_;
  std::vector<Event> events_ GUARDED_BY_MUTEX(mutex_);
};

}  // namespace proffer::agent
