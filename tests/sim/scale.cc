#include "sim/scale.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "sim/cluster.h"

namespace proffer::sim {
namespace {

// Each task ends and is followed by the next: a user hands in as many as it wants to have at once.
class Load final : public Observer {
 public:
  explicit Load(World* world) : world_(world) {}

  // A task was handed in.
  void Submitted(const std::string& task) { submitted_[task] = world_->now(); }
  void SchedulerHeard(const std::string& node, const Wire& wire,
                      const model::SchedulerEvent& event) override {
    const auto* status = std::get_if<model::TaskStatus>(&event);
    if (status == nullptr || status->state != model::TaskState::kRunning) return;
    const auto it = submitted_.find(status->task.value());
    if (it == submitted_.end()) return;
    if (measuring) delays.push_back(world_->now() - it->second);
    submitted_.erase(it);
  }
  bool measuring = false;
  std::vector<int64_t> delays;

 private:
  World* const world_;
  std::map<std::string, Time> submitted_;
};

int64_t ResidentBytes() {
  int64_t pages = 0;
  if (FILE* file = std::fopen("/proc/self/statm", "r")) {
    int64_t all = 0;
    if (std::fscanf(file, "%ld %ld", &all, &pages) != 2) pages = 0;
    std::fclose(file);
  }
  return pages * sysconf(_SC_PAGESIZE);
}

double CpuSeconds() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Sum of twelve uniform ones: close enough to normal for the length of a task.
int64_t NormalMs(Prng* prng, int64_t mean, int64_t deviation) {
  int64_t sum = 0;
  for (int i = 0; i < 12; ++i) sum += prng->Between(-500, 500);
  return std::max<int64_t>(mean + sum * deviation / 1'000, 1);
}

}  // namespace

ScaleResult RunScale(const ScaleOptions& options,
                     const std::function<void(const char*, int64_t)>& progress) {
  const int64_t memory_before = ResidentBytes();
  World world(options.seed);
  Network network(&world);
  Observers observers;
  auto owned = std::make_unique<Load>(&world);
  Load* load = owned.get();
  observers.Add(std::move(owned));
  Ensemble ensemble(&world, &network, &observers);
  MasterNode::Options master_options;
  master_options.unreachable_ms = 75'000;
  master_options.check_invariants = false;
  MasterNode master(&world, &network, &ensemble, &observers, "m1", master_options);
  master.Start();
  world.Run(world.now() + 1'000, [&] { return master.leads(); });

  const Time began = BootTimeNow();
  const double cpu_began = CpuSeconds();
  std::vector<std::unique_ptr<AgentNode>> agents;
  for (int i = 0; i < options.agents; ++i) {
    agents.push_back(std::make_unique<AgentNode>(&world, &network, &ensemble, &observers,
                                                 absl::StrCat("a", i), "cpus:2;mem:4GiB"));
    // They come over ten seconds, as a fleet that is told to restart does.
    world.After(world.prng().Between(0, 10'000), [node = agents.back().get()] { node->Start(); });
  }
  world.Run(world.now() + 15'000, nullptr);
  ScaleResult result;
  result.wall_s_to_register = static_cast<double>(BootTimeNow() - began) / 1'000;
  result.cpu_s_to_register = CpuSeconds() - cpu_began;
  progress("registered", world.now().ms / 1'000);

  std::vector<std::unique_ptr<User>> users;
  std::vector<std::unique_ptr<FrameworkNode>> frameworks;
  const int64_t at_once = options.tasks_per_agent * options.agents / options.frameworks;
  for (int i = 0; i < options.frameworks; ++i) {
    auto user = std::make_unique<User>();
    user->name = absl::StrCat("f", i);
    user->role = absl::StrCat("team", i % 50);
    frameworks.push_back(std::make_unique<FrameworkNode>(&world, &network, &ensemble, &observers,
                                                         user->name, user.get()));
    FrameworkNode* node = frameworks.back().get();
    const auto one_more = [&world, &options, load, node, user = user.get()] {
      SimTask task;
      task.program.run_ms = NormalMs(&world.prng(), options.mean_ms, options.mean_ms / 3);
      task.shape = {{kCpus, 1'000}, {kMem, int64_t{1} << 30}};
      user->tasks.push_back(task);
      load->Submitted(absl::StrCat(user->name, "-", user->tasks.size()));
      node->SubmitNow(user->tasks.size());
    };
    user->on_end = one_more;
    node->Start();
    world.After(world.prng().Between(0, 20'000), [one_more, at_once] {
      for (int64_t k = 0; k < at_once; ++k) one_more();
    });
    users.push_back(std::move(user));
  }
  world.Run(world.now() + 60'000, nullptr);
  progress("full", world.now().ms / 1'000);

  load->measuring = true;
  const auto ended = [&] {
    int64_t count = 0;
    for (const auto& user : users) count += static_cast<int64_t>(user->ended.size());
    return count;
  };
  const int64_t before = ended();
  const Time measured = BootTimeNow();
  const double cpu_measured = CpuSeconds();
  for (int64_t minute = 0; minute < options.minutes; ++minute) {
    world.Run(world.now() + 60'000, nullptr);
    progress("measuring", world.now().ms / 1'000);
  }
  result.tasks = ended() - before;
  const auto minutes = static_cast<double>(std::max<int64_t>(options.minutes, 1));
  result.wall_s_per_minute = static_cast<double>(BootTimeNow() - measured) / 1'000 / minutes;
  result.cpu_s_per_minute = (CpuSeconds() - cpu_measured) / minutes;
  result.memory_bytes = ResidentBytes() - memory_before;
  // Demand there, offer back, accept there, order to the agent, status back to both; and the start.
  const Weather& weather = world.weather();
  result.network_ms = 6 * (weather.latency_min_ms + weather.latency_max_ms) / 2 + 20;
  std::sort(load->delays.begin(), load->delays.end());
  const auto rank = [&](double share) -> int64_t {
    if (load->delays.empty()) return 0;
    const auto at = static_cast<size_t>(share * static_cast<double>(load->delays.size() - 1));
    return std::max<int64_t>(load->delays[at] - result.network_ms, 0);
  };
  result.delay_p50_ms = rank(0.5);
  result.delay_p99_ms = rank(0.99);
  return result;
}

}  // namespace proffer::sim
