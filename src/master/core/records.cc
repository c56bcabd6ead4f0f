#include "master/core/records.h"

namespace proffer::master {
namespace {

struct Key {
  std::string operator()(const AgentRecord& r) const { return "agent/" + r.id.value(); }
  std::string operator()(const FrameworkRecord& r) const {
    return "framework/" + r.info.id.value();
  }
  std::string operator()(const WeightRecord& r) const { return "weight/" + r.role; }
  std::string operator()(const FrameworkForgotten& r) const { return "framework/" + r.id.value(); }
};

struct Applied {
  Registry* to;

  void operator()(const AgentRecord& r) const { to->agents[r.id] = r; }
  void operator()(const FrameworkRecord& r) const { to->frameworks[r.info.id] = r; }
  void operator()(const WeightRecord& r) const { to->weights[r.role] = r.weight_milli; }
  void operator()(const FrameworkForgotten& r) const { to->frameworks.erase(r.id); }
};

}  // namespace

std::string KeyOf(const Record& record) { return std::visit(Key{}, record); }

void Registry::Apply(const Record& record) { std::visit(Applied{this}, record); }

}  // namespace proffer::master
