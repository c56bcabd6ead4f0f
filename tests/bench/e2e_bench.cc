// The whole product under load: real daemons, real processes, the public SDK.
#include <glog/logging.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/bench.h"
#include "isolator/cgroup/usage.h"
#include "proffer/framework.h"
#include "proffer/units.h"
#include "support/mini_cluster.h"

extern char** environ;

namespace proffer {
namespace {

using Clock = std::chrono::steady_clock;

double Ms(Clock::duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

// CPU that a process has used, with what it has waited for.
double CpuMs(pid_t pid) {
  double ticks = 0;
  FILE* file = std::fopen(absl::StrCat("/proc/", pid, "/stat").c_str(), "r");
  if (file == nullptr) return 0;
  unsigned long user = 0, system = 0;
  long child_user = 0, child_system = 0;
  if (std::fscanf(file, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld",
                  &user, &system, &child_user, &child_system) == 4) {
    ticks = static_cast<double>(user + system) + child_user + child_system;
  }
  std::fclose(file);
  return 1000 * ticks / sysconf(_SC_CLK_TCK);
}

// The parts that cost something, and what each has cost, in milliseconds. A launcher is put into a
// cpuacct group of its own, where its forks are counted too: nobody waits for shims. What runs in
// containers is counted by the group above theirs.
class CpuByPart {
 public:
  explicit CpuByPart(const testing::MiniCluster& cluster) : cluster_(cluster) {
    group_ = absl::StrCat("/sys/fs/cgroup/cpuacct/proffer-bench-", getpid());
    grouped_ = mkdir(group_.c_str(), 0755) == 0;
    for (int i = 1; i <= 3; ++i) {
      std::ofstream(group_ + "/cgroup.procs") << cluster.launcher(i).pid();
    }
    before_ = Read();
  }
  ~CpuByPart() {
    for (int i = 1; i <= 3; ++i) {
      std::ofstream("/sys/fs/cgroup/cpuacct/cgroup.procs") << cluster_.launcher(i).pid();
    }
    rmdir(group_.c_str());
  }
  // Since the construction.
  std::vector<std::pair<std::string, double>> Parts() const {
    std::vector<std::pair<std::string, double>> parts = Read();
    for (size_t i = 0; i < parts.size(); ++i) parts[i].second -= before_[i].second;
    return parts;
  }

 private:
  static double GroupMs(const std::string& group) {
    double ns = 0;
    std::ifstream(group + "/cpuacct.usage") >> ns;
    return ns / 1e6;
  }
  // Of all containers below that root, those that are no more too.
  static double ContainersMs(const std::string& root) {
    const isolator::CgroupWorld world = isolator::DetectCgroupWorld(true);
    isolator::CgroupUsage usage;
    isolator::ReadCgroupUsage(isolator::RealKernel(), world, root, &usage);
    return static_cast<double>(usage.cpu_us) / 1e3;
  }
  std::vector<std::pair<std::string, double>> Read() const {
    double agents = 0;
    double launchers = 0;
    double containers = 0;
    for (int i = 1; i <= 3; ++i) {
      agents += CpuMs(cluster_.agent_pid(i));
      launchers += CpuMs(cluster_.launcher(i).pid());
      const std::string& root = cluster_.launcher(i).cgroup_root();
      if (!root.empty()) containers += ContainersMs(root);
    }
    // Without containers the tasks are counted with the shims.
    return {{"master", CpuMs(cluster_.master_pid())},
            {"agents", agents},
            {"launchers", launchers},
            {containers > 0 ? "shims" : "shims_and_tasks",
             grouped_ ? GroupMs(group_) - launchers - containers : 0},
            {"inits_and_tasks", containers},
            {"framework", CpuMs(getpid())}};
  }

  const testing::MiniCluster& cluster_;
  std::string group_;
  bool grouped_ = false;
  std::vector<std::pair<std::string, double>> before_;
};

void BenchTasks(bench::Report& report, int tasks, bool contained) {
  const std::string name = contained ? "e2e/tasks_contained" : "e2e/tasks";
  testing::MiniCluster cluster(
      {.agents = 3, .resources = "cpus:16;mem:16GiB", .contained = contained});
  auto framework = Framework::Start({.name = "bench", .master = cluster.address()});
  CHECK(framework.ok()) << framework.status();
  std::atomic<int> finished{0};
  const CpuByPart cpu(cluster);
  const Clock::time_point begin = Clock::now();
  for (int i = 0; i < tasks; ++i) {
    (*framework)
        ->Submit(Task{absl::StrCat("t", i)}.Args({"/bin/true"}).Cpus(1).Mem(32_MiB))
        .OnDone([&finished](const Result& result) { finished += result.ok() ? 1 : 0; });
  }
  CHECK((*framework)->WaitAll());
  const double seconds = Ms(Clock::now() - begin) / 1000;
  CHECK_EQ(finished.load(), tasks);
  const bench::Params params = {{"agents", 3}, {"tasks", tasks}};
  report.Add(name, params, tasks / seconds, "tasks/s");
  double all = 0;
  for (const auto& [part, ms] : cpu.Parts()) {
    all += ms;
    report.Add(name + "_cpu/" + part, params, 1000 * ms / tasks, "us/task");
  }
  report.Add(name + "_cpu", params, all / tasks, "ms/task");
}

void BenchLatency(bench::Report& report, bool contained) {
  const std::string name = contained ? "e2e/latency_contained" : "e2e/latency";
  testing::MiniCluster cluster({.agents = 3, .contained = contained});
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
    report.Add(name, {{"percentile", percent}}, testing::Percentile(to_running, percent), "ms");
    report.Add(name + "_to_end", {{"percentile", percent}}, testing::Percentile(to_end, percent),
               "ms");
  }
}

// Memory that is each process's own share of, over all processes of that name, in KiB.
double SharesKib(const std::string& name) {
  double kib = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::string is;
    std::ifstream(entry.path() / "comm") >> is;
    if (is != name) continue;
    std::ifstream rollup(entry.path() / "smaps_rollup");
    for (std::string word; rollup >> word;) {
      double value = 0;
      if (word == "Pss:" && rollup >> value) kib += value;
    }
  }
  return kib;
}

// Many containers that live at the same time on one agent.
void BenchLive(bench::Report& report, int count) {
  testing::MiniCluster cluster({.agents = 1, .resources = "cpus:1000;mem:1TiB", .contained = true});
  auto framework = Framework::Start({.name = "bench", .master = cluster.address()});
  CHECK(framework.ok()) << framework.status();
  const bench::Params params = {{"containers", count}};
  std::vector<proffer::Run> runs;
  const Clock::time_point begin = Clock::now();
  for (int i = 0; i < count; ++i) {
    runs.push_back(
        (*framework)
            ->Submit(Task{absl::StrCat("t", i)}.Args({"sleep", "100000"}).Cpus(0.1).Mem(32_MiB)));
  }
  cluster.WaitUntil(v1::TASKS, [count](const std::vector<v1::Object>& tasks) {
    return count == std::count_if(tasks.begin(), tasks.end(), [](const v1::Object& o) {
             return o.task().state() == v1::RUNNING;
           });
  });
  report.Add("e2e/live_contained/launch", params, Ms(Clock::now() - begin) / count, "ms/each");
  report.Add("e2e/live_contained/shim", params, SharesKib("proffer-shim") / count, "KiB/each");
  report.Add("e2e/live_contained/init", params, SharesKib("proffer-init") / count, "KiB/each");
  const Clock::time_point kill = Clock::now();
  for (const proffer::Run& run : runs) run.Kill(std::chrono::milliseconds(0));
  CHECK((*framework)->WaitAll());
  report.Add("e2e/live_contained/kill", params, Ms(Clock::now() - kill) / count, "ms/each");
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
  if (report.Wants("e2e/latency")) proffer::BenchLatency(report, false);
  if (report.Wants("e2e/tasks")) proffer::BenchTasks(report, 10000, false);
  if (!proffer::testing::CanContain(true)) {
    std::fprintf(stderr, "without containers, which need root and cgroups\n");
    return report.Finish();
  }
  if (report.Wants("e2e/live_contained")) proffer::BenchLive(report, 1000);
  if (report.Wants("e2e/latency_contained")) proffer::BenchLatency(report, true);
  if (report.Wants("e2e/tasks_contained")) proffer::BenchTasks(report, 10000, true);
  return report.Finish();
}
