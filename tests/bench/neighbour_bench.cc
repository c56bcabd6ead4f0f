// What a container feels of the worst neighbours: the latency of its requests beside a task that
// runs out of memory again and again, beside a fork bomb and beside one that spins, each against
// the same container alone. Alone and beside take turns within one run, because machines have
// moods; what counts are medians over the rounds. All containers together are given the most weight
// there is, so that what else the machine does counts as little as it can.
#include <fcntl.h>
#include <glog/logging.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/bench.h"
#include "bench/neighbour_log.h"
#include "isolator/cgroup/world.h"
#include "isolator/kernel.h"
#include "proffer/framework.h"
#include "proffer/units.h"
#include "support/mini_cluster.h"

namespace proffer {
namespace {

using Clock = std::chrono::steady_clock;
using bench::NeighbourLog;

constexpr int kRounds = 9;
constexpr std::chrono::milliseconds kWindow(1'500);

class Neighbour {
 public:
  explicit Neighbour(const testing::MiniCluster& cluster)
      : path_(cluster.directory() + "/neighbour") {
    const int fd = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && ftruncate(fd, sizeof(NeighbourLog)) == 0) << path_;
    log_ = static_cast<const NeighbourLog*>(
        mmap(nullptr, sizeof(NeighbourLog), PROT_READ, MAP_SHARED, fd, 0));
    close(fd);
  }
  const std::string& path() const { return path_; }
  uint64_t count() const { return log_->count.load(std::memory_order_acquire); }
  // In microseconds, of the requests that ended during `during`.
  std::vector<double> Watch(const std::function<void()>& during) const {
    const uint64_t first = count();
    during();
    const uint64_t last = count();
    std::vector<double> took;
    for (uint64_t i = first; i < last; ++i) took.push_back(log_->took_ns[i] / 1e3);
    CHECK(took.size() > 100) << "the neighbour does not run";
    return took;
  }

 private:
  const std::string path_;
  const NeighbourLog* log_ = nullptr;
};

struct Worst {
  const char* name;
  Task task;
  bool again;  // Its end is what disturbs, so it is begun again and again.
};

struct Seen {
  std::vector<double> alone[2];  // The median and the 99th percentile, a value a round.
  std::vector<double> beside[2];
  std::vector<double> ratio[2];
  int64_t runs = 0;
};

constexpr int kPercents[2] = {50, 99};

void Round(Framework* framework, const Neighbour& neighbour, const Worst& worst, Seen* seen) {
  const std::vector<double> alone = neighbour.Watch([] { std::this_thread::sleep_for(kWindow); });
  std::vector<double> beside;
  if (worst.again) {
    beside = neighbour.Watch([&] {
      const Clock::time_point until = Clock::now() + kWindow;
      while (Clock::now() < until) {
        const Result& result = framework->Submit(worst.task).Wait();
        CHECK(result.reason == TaskReason::kMemoryLimit) << result.message;
        ++seen->runs;
      }
    });
  } else {
    Run run = framework->Submit(worst.task);
    auto running = std::make_shared<std::atomic<bool>>(false);
    run.OnStatus([running](const TaskStatus& status) {
      if (status.state == TaskState::kRunning) *running = true;
    });
    while (!*running) usleep(1'000);
    // Until it has become what it will be.
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    beside = neighbour.Watch([] { std::this_thread::sleep_for(kWindow); });
    run.Kill(std::chrono::milliseconds(0));
    run.Wait();
    ++seen->runs;
  }
  for (int i = 0; i < 2; ++i) {
    seen->alone[i].push_back(testing::Percentile(alone, kPercents[i]));
    seen->beside[i].push_back(testing::Percentile(beside, kPercents[i]));
    seen->ratio[i].push_back(seen->beside[i].back() / seen->alone[i].back());
  }
}

void GiveMostWeight(const std::string& cgroup_root) {
  const isolator::CgroupWorld world = isolator::DetectCgroupWorld(true);
  const bool v2 = world.kind == isolator::CgroupKind::kV2;
  const std::string base = absl::StrCat(v2 ? world.unified : world.cpu, "/", cgroup_root);
  const int error = isolator::RealKernel().Write(base + (v2 ? "/cpu.weight" : "/cpu.shares"),
                                                 v2 ? "10000" : "262144");
  CHECK_EQ(error, 0) << base;
}

void BenchNeighbour(bench::Report& report) {
  testing::MiniCluster cluster({.agents = 1, .resources = "cpus:4;mem:4GiB", .contained = true});
  GiveMostWeight(cluster.launcher(1).cgroup_root());
  auto framework = Framework::Start({.name = "bench", .master = cluster.address()});
  CHECK(framework.ok()) << framework.status();
  const Neighbour neighbour(cluster);
  const std::string program = absl::StrCat(PROFFER_BINARY_DIR, "/bin/bench-neighbour");
  Run run =
      (*framework)->Submit(Task{"neighbour"}.Args({program, neighbour.path()}).Cpus(1).Mem(64_MiB));
  while (neighbour.count() < 500) usleep(10'000);
  const std::vector<Worst> worst = {
      {"oom", Task{"oom"}.Command("head -c 400m /dev/zero | tail").Cpus(0.5).Mem(64_MiB), true},
      {"bomb", Task{"bomb"}.Args({program, "--bomb"}).Cpus(0.5).Mem(256_MiB).PidsLimit(100), false},
      {"hog", Task{"hog"}.Command("while :; do :; done").Cpus(0.2).CpuLimit(0.2).Mem(32_MiB),
       false},
  };
  std::map<std::string, Seen> seen;
  for (int round = 0; round < kRounds; ++round) {
    for (const Worst& one : worst) Round(framework->get(), neighbour, one, &seen[one.name]);
  }
  run.Kill(std::chrono::milliseconds(0));
  run.Wait();
  for (const Worst& one : worst) {
    const Seen& of = seen[one.name];
    const std::string name = absl::StrCat("containers/neighbour/", one.name);
    for (int i = 0; i < 2; ++i) {
      const bench::Params params = {
          {"percentile", kPercents[i]}, {"rounds", kRounds}, {"runs", of.runs}};
      report.Add(name + "/alone", params, testing::Percentile(of.alone[i], 50), "us");
      report.Add(name + "/beside", params, testing::Percentile(of.beside[i], 50), "us");
      report.Add(name + "/ratio", params, testing::Percentile(of.ratio[i], 50), "times");
    }
  }
}

}  // namespace
}  // namespace proffer

int main(int argc, char** argv) {
  proffer::bench::Report report(argc, argv);
  if (report.Wants("containers/neighbour")) {
    if (!proffer::testing::CanContain(true)) {
      std::fprintf(stderr, "no containers, which need root and cgroups\n");
    } else {
      proffer::BenchNeighbour(report);
    }
  }
  return report.Finish();
}
