// The clocks beside a daemon's core: how long its turns take, and how long what it decided waits to
// be durable.
#pragma once

#include <cstdint>
#include <deque>
#include <utility>

#include "prometheus/histogram.h"

namespace proffer::metrics {

// Upper bounds of buckets, in seconds.
inline const prometheus::Histogram::BucketBoundaries kTurnSeconds = {
    0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3};
inline const prometheus::Histogram::BucketBoundaries kRecordSeconds = {0.001, 0.003, 0.01, 0.03,
                                                                       0.1,   0.3,   1,    3};
inline const prometheus::Histogram::BucketBoundaries kLaunchSeconds = {0.003, 0.01, 0.03, 0.1, 0.3,
                                                                       1,     3,    10,   60};

// THREAD: Took on the core's; seconds() any.
class TurnTimer {
 public:
  void Took(int64_t ns) { seconds_.Observe(static_cast<double>(ns) / 1e9); }
  const prometheus::Histogram& seconds() const { return seconds_; }

 private:
  prometheus::Histogram seconds_{kTurnSeconds};
};

// THREAD: Decided and Durable on the core's; seconds() any.
class RecordTimer {
 public:
  // Records up to `seq` were handed to the store at `now_ns`.
  void Decided(uint64_t seq, int64_t now_ns) { waiting_.push_back({seq, now_ns}); }
  // Everything up to `seq` is durable.
  void Durable(uint64_t seq, int64_t now_ns) {
    while (!waiting_.empty() && waiting_.front().first <= seq) {
      seconds_.Observe(static_cast<double>(now_ns - waiting_.front().second) / 1e9);
      waiting_.pop_front();
    }
  }
  const prometheus::Histogram& seconds() const { return seconds_; }

 private:
  std::deque<std::pair<uint64_t, int64_t>> waiting_;
  prometheus::Histogram seconds_{kRecordSeconds};
};

}  // namespace proffer::metrics
