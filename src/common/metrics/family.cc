#include "common/metrics/family.h"

namespace proffer::metrics {
namespace {

prometheus::MetricFamily Family(const std::string& name, const std::string& help,
                                prometheus::MetricType type) {
  prometheus::MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = type;
  return family;
}

}  // namespace

prometheus::MetricFamily Gauges(const std::string& name, const std::string& help) {
  return Family(name, help, prometheus::MetricType::Gauge);
}

prometheus::MetricFamily Counters(const std::string& name, const std::string& help) {
  return Family(name, help, prometheus::MetricType::Counter);
}

void Put(prometheus::MetricFamily* family, const Labels& labels, double value) {
  prometheus::ClientMetric metric;
  for (const auto& [name, text] : labels) metric.label.push_back({name, text});
  (family->type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value) =
      value;
  family->metric.push_back(std::move(metric));
}

prometheus::MetricFamily HistogramFamily(const std::string& name, const std::string& help,
                                         const prometheus::Histogram& histogram) {
  prometheus::MetricFamily family = Family(name, help, prometheus::MetricType::Histogram);
  family.metric.push_back(histogram.Collect());
  return family;
}

prometheus::MetricFamily Gauge(const std::string& name, const std::string& help, double value) {
  prometheus::MetricFamily family = Gauges(name, help);
  Put(&family, {}, value);
  return family;
}

prometheus::MetricFamily Counter(const std::string& name, const std::string& help, double value) {
  prometheus::MetricFamily family = Counters(name, help);
  Put(&family, {}, value);
  return family;
}

}  // namespace proffer::metrics
