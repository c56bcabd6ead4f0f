// A master's figures (docs/operating.md lists them, and what to be woken by): counted from what
// readers see, and from the turns of the core. Scraping never touches the core.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/base/mutex.h"
#include "common/metrics/core_timers.h"
#include "master/mail.h"
#include "proffer/v1/operator.pb.h"
#include "prometheus/collectable.h"
#include "prometheus/histogram.h"

namespace proffer::master {

class Projection;

// THREAD: any.
class MasterMetrics final : public prometheus::Collectable {
 public:
  // Both outlive this, or Detach is called first.
  MasterMetrics(const Projection* projection, const MasterMailbox* mailbox);
  // Nothing is collected any more.
  void Detach();

  // An object is not what it was before (null: it was not there).
  void Changed(const v1::Object* before, const v1::Object& after, bool removed);
  metrics::TurnTimer& turns() { return turns_; }
  metrics::RecordTimer& records() { return records_; }

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  using Counts = std::map<std::string, int64_t>;  // By a label.

  void Count(const v1::Object& object, int sign) REQUIRES_MUTEX(mutex_);
  void CountEvents(const v1::Object* before, const v1::Object& after, bool removed)
      REQUIRES_MUTEX(mutex_);

  const MasterMailbox* const mailbox_;

  metrics::TurnTimer turns_;
  metrics::RecordTimer records_;
  prometheus::Histogram launch_seconds_;

  // The projection calls Changed with its own lock held, so it is asked under a lock that Changed
  // does not take.
  mutable Mutex attached_;
  const Projection* projection_ GUARDED_BY_MUTEX(attached_);  // Null: detached.
  mutable Mutex mutex_;
  // What there is, by state.
  Counts agents_ GUARDED_BY_MUTEX(mutex_);
  Counts frameworks_ GUARDED_BY_MUTEX(mutex_);
  Counts tasks_ GUARDED_BY_MUTEX(mutex_);
  Counts offers_ GUARDED_BY_MUTEX(mutex_);  // By role.
  Counts wanted_ GUARDED_BY_MUTEX(mutex_);  // Tasks in demands, by role.
  int64_t unacknowledged_ GUARDED_BY_MUTEX(mutex_) = 0;
  // What has happened since it leads.
  std::map<std::pair<std::string, std::string>, int64_t> ended_ GUARDED_BY_MUTEX(mutex_);
  int64_t offers_made_ GUARDED_BY_MUTEX(mutex_) = 0;
  int64_t launched_ GUARDED_BY_MUTEX(mutex_) = 0;
  int64_t agents_lost_ GUARDED_BY_MUTEX(mutex_) = 0;
};

}  // namespace proffer::master
