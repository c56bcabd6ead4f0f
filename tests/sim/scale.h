// A big quiet world for measuring: many agents, many frameworks, tasks that come and go, nothing
// that fails. The shape is that of the 50,000-agent experiment of the Mesos paper (Hindman et al.,
// NSDI 2011, section 6.5): tasks of normally distributed length around 30 s, frameworks all over.
#pragma once

#include <cstdint>
#include <functional>

namespace proffer::sim {

struct ScaleOptions {
  uint64_t seed = 1;
  int agents = 50'000;
  int frameworks = 200;
  int64_t tasks_per_agent = 1;  // Wanted at once, on average; an agent has room for two.
  int64_t mean_ms = 30'000;     // Of a task; a third of it is the standard deviation.
  int64_t minutes = 3;          // Measured, after a minute to fill up.
};

struct ScaleResult {
  int64_t tasks = 0;             // Ended in the time measured.
  double wall_s_per_minute = 0;  // Of simulated time.
  double cpu_s_per_minute = 0;   // The same in a machine's own time, when it does other things too.
  double wall_s_to_register = 0;
  double cpu_s_to_register = 0;
  int64_t delay_p50_ms = 0;  // From submit to RUNNING at the scheduler, in simulated time,
  int64_t delay_p99_ms = 0;  // above what the network alone takes.
  int64_t network_ms = 0;    // Which is this: messages there and back, and starting a program.
  int64_t memory_bytes = 0;  // Of the whole world, all nodes in it.
};

ScaleResult RunScale(const ScaleOptions& options,
                     const std::function<void(const char* phase, int64_t simulated_s)>& progress);

}  // namespace proffer::sim
