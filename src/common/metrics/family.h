// Short ways to write down what is collected.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "prometheus/histogram.h"
#include "prometheus/metric_family.h"

namespace proffer::metrics {

using Labels = std::vector<std::pair<std::string, std::string>>;

// A family without a value yet.
prometheus::MetricFamily Gauges(const std::string& name, const std::string& help);
// `name` ends in _total.
prometheus::MetricFamily Counters(const std::string& name, const std::string& help);
void Put(prometheus::MetricFamily* family, const Labels& labels, double value);
prometheus::MetricFamily HistogramFamily(const std::string& name, const std::string& help,
                                         const prometheus::Histogram& histogram);
// Fills a family from a map of one label's values.
template <typename Counts>
prometheus::MetricFamily ByLabel(prometheus::MetricFamily family, const std::string& label,
                                 const Counts& counts) {
  for (const auto& [value, count] : counts) {
    Put(&family, {{label, value}}, static_cast<double>(count));
  }
  return family;
}
// A family of one value.
prometheus::MetricFamily Gauge(const std::string& name, const std::string& help, double value);
prometheus::MetricFamily Counter(const std::string& name, const std::string& help, double value);

}  // namespace proffer::metrics
