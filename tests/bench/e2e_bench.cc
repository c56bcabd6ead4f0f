// The whole product under load: real daemons, real processes, the public SDK.
#include <glog/logging.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/bench.h"
#include "proffer/framework.h"
#include "proffer/units.h"
#include "support/mini_cluster.h"

extern char** environ;

namespace proffer {
namespace {

using Clock = std::chrono::steady_clock;

double Ms(Clock::duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

// CPU of the master, the agents and all that they have waited for, in seconds.
double DaemonCpu(const testing::MiniCluster& cluster, int agents) {
  double ticks = 0;
  for (int i = 0; i <= agents; ++i) {
    const pid_t pid = i == 0 ? cluster.master_pid() : cluster.agent_pid(i);
    FILE* file = std::fopen(absl::StrCat("/proc/", pid, "/stat").c_str(), "r");
    if (file == nullptr) continue;
    unsigned long user = 0, system = 0;
    long child_user = 0, child_system = 0;
    if (std::fscanf(file, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld",
                    &user, &system, &child_user, &child_system) == 4) {
      ticks += static_cast<double>(user + system) + child_user + child_system;
    }
    std::fclose(file);
  }
  return ticks / sysconf(_SC_CLK_TCK);
}

void BenchTasks(bench::Report& report, int tasks) {
  testing::MiniCluster cluster({.agents = 3, .resources = "cpus:16;mem:16GiB"});
  auto framework = Framework::Start({.name = "bench", .master = cluster.address()});
  CHECK(framework.ok()) << framework.status();
  std::atomic<int> finished{0};
  const double cpu = DaemonCpu(cluster, 3);
  const Clock::time_point begin = Clock::now();
  for (int i = 0; i < tasks; ++i) {
    (*framework)
        ->Submit(Task{absl::StrCat("t", i)}.Args({"/bin/true"}).Cpus(1).Mem(16_MiB))
        .OnDone([&finished](const Result& result) { finished += result.ok() ? 1 : 0; });
  }
  CHECK((*framework)->WaitAll());
  const double seconds = Ms(Clock::now() - begin) / 1000;
  CHECK_EQ(finished.load(), tasks);
  report.Add("e2e/tasks", {{"agents", 3}, {"tasks", tasks}}, tasks / seconds, "tasks/s");
  report.Add("e2e/tasks_cpu", {{"agents", 3}, {"tasks", tasks}},
             1000 * (DaemonCpu(cluster, 3) - cpu) / tasks, "ms/task");
}

void BenchLatency(bench::Report& report) {
  testing::MiniCluster cluster({.agents = 3});
  auto framework = Framework::Start({.name = "bench", .master = cluster.address()});
  CHECK(framework.ok()) << framework.status();
  std::vector<double> to_running;
  std::vector<double> to_end;
  for (int i = 0; i < 220; ++i) {
    // Written on the framework's thread before the end is told.
    auto running = std::make_shared<std::atomic<double>>(0);
    const Clock::time_point begin = Clock::now();
    proffer::Run run =
        (*framework)->Submit(Task{absl::StrCat("t", i)}.Args({"/bin/true"}).Cpus(0.1).Mem(16_MiB));
    run.OnStatus([running, begin](const TaskStatus& status) {
      if (status.state == TaskState::kRunning) *running = Ms(Clock::now() - begin);
    });
    CHECK(run.Wait().ok());
    if (i < 20) continue;  // Warm-up.
    to_end.push_back(Ms(Clock::now() - begin));
    if (*running > 0) to_running.push_back(*running);
  }
  for (const int percent : {50, 99}) {
    report.Add("e2e/latency", {{"percentile", percent}}, testing::Percentile(to_running, percent),
               "ms");
    report.Add("e2e/latency_to_end", {{"percentile", percent}},
               testing::Percentile(to_end, percent), "ms");
  }
}

// `proffer dev` from its start until it says that it is ready, and `proffer run` of an echo.
void BenchDev(bench::Report& report) {
  char home[] = "/tmp/pfhomeXXXXXX";
  CHECK(mkdtemp(home) != nullptr);
  setenv("HOME", home, 1);
  unsetenv("PROFFER_MASTER");
  const std::string proffer = absl::StrCat(PROFFER_BINARY_DIR, "/bin/proffer");
  std::vector<double> ready;
  std::vector<double> run;
  for (int i = 0; i < 5; ++i) {
    const Clock::time_point begin = Clock::now();
    int out[2];
    CHECK_EQ(pipe(out), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_addclose(&actions, out[0]);
    const char* const argv[] = {proffer.c_str(), "dev", nullptr};
    pid_t pid = 0;
    CHECK_EQ(
        posix_spawn(&pid, proffer.c_str(), &actions, nullptr, const_cast<char**>(argv), environ),
        0);
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    std::string said;
    char buffer[512];
    // The banner comes when all agents are connected.
    while (said.find("Next") == std::string::npos) {
      const ssize_t got = read(out[0], buffer, sizeof(buffer));
      CHECK_GT(got, 0) << said;
      said.append(buffer, got);
    }
    ready.push_back(Ms(Clock::now() - begin));
    const Clock::time_point run_begin = Clock::now();
    CHECK_EQ(std::system(absl::StrCat(proffer, " run -- echo hi >/dev/null 2>&1").c_str()), 0);
    run.push_back(Ms(Clock::now() - run_begin));
    kill(pid, SIGINT);
    waitpid(pid, nullptr, 0);
    close(out[0]);
  }
  report.Add("dev/ready", {{"agents", 3}}, testing::Percentile(ready, 50), "ms");
  report.Add("dev/run_echo", {}, testing::Percentile(run, 50), "ms");
  CHECK_EQ(std::system(absl::StrCat("rm -rf ", home).c_str()), 0);
}

}  // namespace
}  // namespace proffer

int main(int argc, char** argv) {
  proffer::bench::Report report(argc, argv);
  if (report.Wants("dev/ready")) proffer::BenchDev(report);
  if (report.Wants("e2e/latency")) proffer::BenchLatency(report);
  if (report.Wants("e2e/tasks")) proffer::BenchTasks(report, 5000);
  return report.Finish();
}
