// An agent's figures (docs/operating.md lists them, and what to be woken by), counted from what its
// core is told. Scraping never touches the core.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/core/events.h"
#include "common/base/mutex.h"
#include "common/metrics/core_timers.h"
#include "prometheus/collectable.h"
#include "prometheus/histogram.h"

namespace proffer::agent {

// THREAD: Heard, Launching and the timers on the core's; Collect any.
class AgentMetrics final : public prometheus::Collectable {
 public:
  AgentMetrics();

  // What the core is about to be told, at `now_ns` (BootTimeNanos).
  void Heard(const Event& event, int64_t now_ns);
  // Its record is durable, and it is begun. Not when it was ordered: an order that is refused
  // never comes to an end.
  void Launching(const model::AttemptId& attempt, int64_t now_ns);
  metrics::TurnTimer& turns() { return turns_; }
  metrics::RecordTimer& records() { return records_; }

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  void Ended(const model::AttemptId& attempt, const std::string& cause) REQUIRES_MUTEX(mutex_);

  metrics::TurnTimer turns_;
  metrics::RecordTimer records_;
  prometheus::Histogram launch_seconds_;

  mutable Mutex mutex_;
  bool registered_ GUARDED_BY_MUTEX(mutex_) = false;
  int64_t registrations_ GUARDED_BY_MUTEX(mutex_) = 0;
  int64_t launches_ GUARDED_BY_MUTEX(mutex_) = 0;
  // Begun and not running yet, with when.
  std::map<model::AttemptId, int64_t> starting_ GUARDED_BY_MUTEX(mutex_);
  std::set<model::AttemptId> running_ GUARDED_BY_MUTEX(mutex_);
  std::map<std::string, int64_t> ends_ GUARDED_BY_MUTEX(mutex_);  // By cause.
};

}  // namespace proffer::agent
