// The workload of scripts/quickstart.sh: two frameworks compete for a cluster to compress and hash
// real files, a task a file. Shows progress and shares, then checks every result.
//
//   compress --master=unix:... --out=DIR --weights=1,2 FILE...
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "proffer/framework.h"
#include "proffer/units.h"

namespace {

using proffer::operator""_MiB;
using Clock = std::chrono::steady_clock;

double Seconds(Clock::duration d) { return std::chrono::duration<double>(d).count(); }

// What one framework does, counted on its own thread and read on ours.
struct Team {
  std::string name;
  int weight = 1;
  std::unique_ptr<proffer::Framework> framework;
  std::vector<std::string> files;
  std::vector<proffer::Run> runs;
  std::mutex mutex;
  std::vector<Clock::time_point> submitted;
  std::vector<double> to_running_ms;  // Includes the wait for room.
  int running = 0;
  int finished = 0;
  int failed = 0;
};

struct Sample {
  double seconds;
  int running[2];
};

std::string OutFile(const std::string& out, const Team& team, size_t i) {
  return out + "/" + team.name + "-" + std::to_string(i) + ".gz";
}

void Submit(Team& team, const std::string& out, size_t i) {
  const std::string target = OutFile(out, team, i);
  team.submitted[i] = Clock::now();
  proffer::Run run = team.framework->Submit(
      proffer::Task{team.name + "-" + std::to_string(i)}
          .Args({"/bin/sh", "-c", "gzip -9 < \"$1\" > \"$2\" && sha256sum < \"$2\" > \"$2.sha\"",
                 "compress", team.files[i], target})
          .Cpus(1)
          .Mem(32_MiB));
  run.OnStatus([&team, i, counted = false](const proffer::TaskStatus& status) mutable {
    if (status.state != proffer::TaskState::kRunning || counted) return;
    counted = true;
    const std::lock_guard<std::mutex> lock(team.mutex);
    ++team.running;
    team.to_running_ms.push_back(1000 * Seconds(Clock::now() - team.submitted[i]));
  });
  run.OnDone([&team](const proffer::Result& result) {
    const std::lock_guard<std::mutex> lock(team.mutex);
    team.running = std::max(team.running - 1, 0);
    ++(result.ok() ? team.finished : team.failed);
    if (!result.ok()) {
      std::fprintf(stderr, "\n%s: %s\n", result.task_id.c_str(), result.message.c_str());
    }
  });
  team.runs.push_back(run);
}

// The compressed file holds the original, and its hash is the one written down.
bool Verify(const std::string& original, const std::string& compressed) {
  const std::string command = "gzip -dc '" + compressed + "' | cmp -s - '" + original +
                              "' && [ \"$(sha256sum < '" + compressed + "')\" = \"$(cat '" +
                              compressed + ".sha')\" ]";
  const int status = std::system(command.c_str());
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

double Percentile(std::vector<double> values, double percent) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<size_t>(percent / 100 * values.size()))];
}

void PrintShares(const Team* const teams, const std::vector<Sample>& samples) {
  std::printf("\nshare of running tasks over time (weights %d and %d)\n", teams[0].weight,
              teams[1].weight);
  std::printf("  %8s  %8s %8s  %s\n", "seconds", teams[0].name.c_str(), teams[1].name.c_str(), "");
  // The mean of each tenth: a single look would show tasks changing hands.
  const size_t step = std::max<size_t>(1, samples.size() / 10);
  for (size_t i = 0; i < samples.size(); i += step) {
    int light = 0;
    int both = 0;
    for (size_t k = i; k < std::min(i + step, samples.size()); ++k) {
      light += samples[k].running[0];
      both += samples[k].running[0] + samples[k].running[1];
    }
    if (both == 0) continue;
    const int width = 40 * light / both;
    std::printf("  %8.1f  %7d%% %7d%%  %s%s\n", samples[i].seconds, 100 * light / both,
                100 - 100 * light / both, std::string(width, '#').c_str(),
                std::string(40 - width, '.').c_str());
  }
}

// Latency of an idle cluster: one small task after the other.
std::vector<double> IdleLatency(proffer::Framework& framework, int tasks) {
  std::vector<double> ms;
  for (int i = 0; i < tasks; ++i) {
    std::atomic<bool> seen{false};
    double took = 0;
    const Clock::time_point begin = Clock::now();
    proffer::Run run = framework.Submit(
        proffer::Task{"idle-" + std::to_string(i)}.Args({"/bin/true"}).Cpus(0.1).Mem(8_MiB));
    run.OnStatus([&](const proffer::TaskStatus& status) {
      if (status.state == proffer::TaskState::kRunning && !seen.exchange(true)) {
        took = 1000 * Seconds(Clock::now() - begin);
      }
    });
    run.Wait();
    if (seen) ms.push_back(took);
  }
  return ms;
}

}  // namespace

int main(int argc, char** argv) {
  std::string master;
  std::string out;
  std::vector<std::string> files;
  Team teams[2];
  teams[0].name = "light";
  teams[1].name = "heavy";
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.rfind("--master=", 0) == 0) {
      master = argument.substr(9);
    } else if (argument.rfind("--out=", 0) == 0) {
      out = argument.substr(6);
    } else if (argument.rfind("--weights=", 0) == 0) {
      std::sscanf(argument.c_str(), "--weights=%d,%d", &teams[0].weight, &teams[1].weight);
    } else {
      files.push_back(argument);
    }
  }
  if (out.empty() || files.empty()) {
    std::fprintf(stderr, "usage: compress --master=ADDRESS --out=DIR [--weights=1,2] FILE...\n");
    return 2;
  }
  // Work in the proportion of the weights, so that both are busy to the end.
  const int both_weights = teams[0].weight + teams[1].weight;
  for (size_t i = 0; i < files.size(); ++i) {
    teams[static_cast<int>(i % both_weights) < teams[0].weight ? 0 : 1].files.push_back(files[i]);
  }
  for (Team& team : teams) {
    auto started = proffer::Framework::Start(
        {.name = team.name, .master = master, .roles = {team.name}, .durable = false});
    if (!started.ok()) {
      std::fprintf(stderr, "compress: %s\n", std::string(started.status().message()).c_str());
      return 1;
    }
    team.framework = *std::move(started);
    team.submitted.resize(team.files.size());
  }
  const Clock::time_point begin = Clock::now();
  for (size_t i = 0; i < files.size(); ++i) {
    for (Team& team : teams) {
      if (i < team.files.size()) Submit(team, out, i);
    }
  }
  std::vector<Sample> samples;
  size_t ended = 0;
  while (ended < files.size()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    Sample sample{Seconds(Clock::now() - begin), {0, 0}};
    ended = 0;
    for (int t = 0; t < 2; ++t) {
      const std::lock_guard<std::mutex> lock(teams[t].mutex);
      sample.running[t] = teams[t].running;
      ended += teams[t].finished + teams[t].failed;
    }
    samples.push_back(sample);
    const size_t width = 40 * ended / files.size();
    std::printf("\r[%s%s] %zu of %zu files, %.1f s ", std::string(width, '#').c_str(),
                std::string(40 - width, '.').c_str(), ended, files.size(), sample.seconds);
    std::fflush(stdout);
  }
  const double took = Seconds(Clock::now() - begin);
  std::printf("\n");
  PrintShares(teams, samples);

  bool well = true;
  std::printf("\n%8s %7s %9s %7s %22s\n", "role", "weight", "finished", "failed",
              "to RUNNING p50 / p99");
  for (Team& team : teams) {
    std::printf("%8s %7d %9d %7d %12.0f / %.0f ms\n", team.name.c_str(), team.weight, team.finished,
                team.failed, Percentile(team.to_running_ms, 50),
                Percentile(team.to_running_ms, 99));
    well = well && team.failed == 0;
  }
  std::printf("(with every task submitted at once, this is mostly the wait for room)\n");
  std::printf("throughput: %.0f tasks/s\n", files.size() / took);
  const std::vector<double> idle = IdleLatency(*teams[0].framework, 50);
  std::printf("idle cluster, submit to RUNNING: p50 %.1f ms, p99 %.1f ms\n", Percentile(idle, 50),
              Percentile(idle, 99));
  int wrong = 0;
  for (const Team& team : teams) {
    for (size_t i = 0; i < team.files.size(); ++i) {
      if (Verify(team.files[i], OutFile(out, team, i))) continue;
      ++wrong;
      std::fprintf(stderr, "wrong result for %s\n", team.files[i].c_str());
    }
  }
  std::printf("verified: %zu of %zu results are right\n", files.size() - wrong, files.size());
  return well && wrong == 0 ? 0 : 1;
}
