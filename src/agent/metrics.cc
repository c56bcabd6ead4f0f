#include "agent/metrics.h"

#include <variant>

#include "common/metrics/family.h"

namespace proffer::agent {
namespace {

// In one word, as people ask for it.
std::string CauseOf(const ContainerEnded& end) {
  switch (end.cause) {
    case EndCause::kItself:
      if (end.signal) return "signal";
      return end.exit_code == 0 ? "finished" : "exit_code";
    case EndCause::kKilled:
      return "killed";
    case EndCause::kMaxRunTime:
      return "max_run_time";
    case EndCause::kDisconnected:
      return "disconnected";
    case EndCause::kMemoryLimit:
      return "memory_limit";
  }
  return "unknown";
}

}  // namespace

AgentMetrics::AgentMetrics() : launch_seconds_(metrics::kLaunchSeconds) {
  // So that a rate is known of what has not happened yet.
  for (const char* cause : {"finished", "exit_code", "signal", "killed", "memory_limit",
                            "shim_lost", "launch_failed"}) {
    ends_[cause] = 0;
  }
}

void AgentMetrics::Heard(const Event& event, int64_t now_ns) {
  MutexLock lock(&mutex_);
  if (const auto* received = std::get_if<OrderReceived>(&event)) {
    if (!std::holds_alternative<model::Registered>(received->order)) return;
    registered_ = true;
    ++registrations_;
  } else if (std::holds_alternative<LinkDown>(event)) {
    registered_ = false;
  } else if (const auto* started = std::get_if<ContainerStarted>(&event)) {
    // One that was found again after a restart was not launched by this life.
    if (const auto it = starting_.find(started->attempt); it != starting_.end()) {
      launch_seconds_.Observe(static_cast<double>(now_ns - it->second) / 1e9);
      starting_.erase(it);
    }
    running_.insert(started->attempt);
  } else if (const auto* ended = std::get_if<ContainerEnded>(&event)) {
    Ended(ended->attempt, CauseOf(*ended));
  } else if (const auto* failed = std::get_if<LaunchFailed>(&event)) {
    Ended(failed->attempt, "launch_failed");
  } else if (const auto* cancelled = std::get_if<LaunchCancelled>(&event)) {
    Ended(cancelled->attempt, "killed");
  } else if (const auto* lost = std::get_if<ShimLost>(&event)) {
    Ended(lost->attempt, "shim_lost");
  }
}

void AgentMetrics::Launching(const model::AttemptId& attempt, int64_t now_ns) {
  MutexLock lock(&mutex_);
  ++launches_;
  starting_[attempt] = now_ns;
}

void AgentMetrics::Ended(const model::AttemptId& attempt, const std::string& cause) {
  starting_.erase(attempt);
  running_.erase(attempt);
  ++ends_[cause];
}

std::vector<prometheus::MetricFamily> AgentMetrics::Collect() const {
  using metrics::Counter;
  using metrics::Gauge;
  MutexLock lock(&mutex_);
  return {
      Gauge("proffer_agent_registered", "1 while it is registered with the leader, else 0.",
            registered_ ? 1 : 0),
      Counter("proffer_agent_registrations_total", "How often it registered with a leader.",
              static_cast<double>(registrations_)),
      Gauge("proffer_agent_tasks_running", "Tasks that run here.",
            static_cast<double>(running_.size())),
      Counter("proffer_agent_launches_total", "Launches that were begun.",
              static_cast<double>(launches_)),
      metrics::HistogramFamily("proffer_agent_launch_seconds",
                               "From the durable record of a launch until the program runs.",
                               launch_seconds_),
      metrics::ByLabel(metrics::Counters("proffer_agent_ends_total", "Ends of tasks, by cause."),
                       "cause", ends_),
      metrics::HistogramFamily("proffer_agent_turn_seconds", "How long a turn of the core takes.",
                               turns_.seconds()),
      metrics::HistogramFamily("proffer_agent_record_seconds",
                               "How long a decision waits until its record is durable.",
                               records_.seconds()),
  };
}

}  // namespace proffer::agent
