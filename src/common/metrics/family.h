// Short ways to write down what is collected.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "prometheus/metric_family.h"

namespace proffer::metrics {

using Labels = std::vector<std::pair<std::string, std::string>>;

// A family without a value yet.
prometheus::MetricFamily Gauges(const std::string& name, const std::string& help);
// `name` ends in _total.
prometheus::MetricFamily Counters(const std::string& name, const std::string& help);
void Put(prometheus::MetricFamily* family, const Labels& labels, double value);
// A family of one value.
prometheus::MetricFamily Gauge(const std::string& name, const std::string& help, double value);
prometheus::MetricFamily Counter(const std::string& name, const std::string& help, double value);

}  // namespace proffer::metrics
