// The figures that every process has, under the names that Prometheus has for them.
#pragma once

#include <vector>

#include "prometheus/collectable.h"

namespace proffer::metrics {

// THREAD: any.
class Process final : public prometheus::Collectable {
 public:
  std::vector<prometheus::MetricFamily> Collect() const override;
};

}  // namespace proffer::metrics
