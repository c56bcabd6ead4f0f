#include "master/metrics.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "common/metrics/family.h"
#include "master/projection.h"

namespace proffer::master {
namespace {

using metrics::ByLabel;
using metrics::Counter;
using metrics::Counters;
using metrics::Gauge;
using metrics::Gauges;
using metrics::HistogramFamily;
using metrics::Put;
using prometheus::MetricFamily;

std::string StateOf(const v1::AgentView& agent) {
  switch (agent.state()) {
    case v1::CONNECTED:
      return "connected";
    case v1::AGENT_UNREACHABLE_STATE:
      return "unreachable";
    case v1::AGENT_GONE_STATE:
      return "gone";
    case v1::RECOVERED:
      return "awaited";
    default:
      return "disconnected";
  }
}

std::string StateOf(const v1::TaskView& task) {
  return absl::AsciiStrToLower(v1::TaskState_Name(task.state()));
}

std::string ReasonOf(const v1::TaskView& task) {
  if (task.reason() == v1::TASK_REASON_UNSPECIFIED) return "none";
  return absl::AsciiStrToLower(v1::TaskReason_Name(task.reason()));
}

// Scalars of thousandths are whole units for people; memory and disk are bytes.
double Amount(const std::string& kind, int64_t amount) {
  const bool whole = kind == "mem" || kind == "disk" || kind == "gpus" || kind == "ports";
  return static_cast<double>(amount) / (whole ? 1 : 1'000);
}

}  // namespace

MasterMetrics::MasterMetrics(const Projection* projection, const MasterMailbox* mailbox)
    : mailbox_(mailbox), launch_seconds_(metrics::kLaunchSeconds), projection_(projection) {
  // So that a rate is known of what has not happened yet.
  for (const char* state : {"connected", "disconnected", "unreachable"}) agents_[state] = 0;
  for (const char* state : {"connected", "disconnected"}) frameworks_[state] = 0;
  for (const char* state : {"staging", "running"}) tasks_[state] = 0;
}

void MasterMetrics::Detach() {
  MutexLock lock(&attached_);
  projection_ = nullptr;
}

void MasterMetrics::Changed(const v1::Object* before, const v1::Object& after, bool removed) {
  MutexLock lock(&mutex_);
  if (before != nullptr) Count(*before, -1);
  if (!removed) Count(after, +1);
  CountEvents(before, after, removed);
}

void MasterMetrics::Count(const v1::Object& object, int sign) {
  if (object.has_agent()) {
    agents_[StateOf(object.agent())] += sign;
  } else if (object.has_framework()) {
    frameworks_[object.framework().connected() ? "connected" : "disconnected"] += sign;
    for (const v1::Demand& demand : object.framework().demands()) {
      wanted_[demand.role()] += sign * demand.count();
    }
  } else if (object.has_task()) {
    tasks_[StateOf(object.task())] += sign;
    if (object.task().unacknowledged()) unacknowledged_ += sign;
  } else if (object.has_offer()) {
    offers_[object.offer().role()] += sign;
  }
}

void MasterMetrics::CountEvents(const v1::Object* before, const v1::Object& after, bool removed) {
  if (after.has_offer()) {
    if (before == nullptr && !removed) ++offers_made_;
  } else if (after.has_agent()) {
    const bool was = before != nullptr && before->agent().state() == v1::AGENT_UNREACHABLE_STATE;
    if (after.agent().state() == v1::AGENT_UNREACHABLE_STATE && !was) ++agents_lost_;
  } else if (after.has_task()) {
    const v1::TaskView& task = after.task();
    if (before == nullptr && !removed) ++launched_;
    if (removed) ++ended_[{StateOf(task), ReasonOf(task)}];
    const bool ran = before != nullptr && before->task().running_unix_ms() != 0;
    if (task.running_unix_ms() != 0 && !ran && task.launched_unix_ms() != 0) {
      launch_seconds_.Observe(static_cast<double>(std::max<int64_t>(
                                  task.running_unix_ms() - task.launched_unix_ms(), 0)) /
                              1e3);
    }
  }
}

std::vector<MetricFamily> MasterMetrics::Collect() const {
  v1::Cluster cluster;
  {
    MutexLock lock(&attached_);
    if (projection_ == nullptr) return {};
    cluster = projection_->GetCluster();
  }
  MutexLock lock(&mutex_);
  MetricFamily resources =
      Gauges("proffer_resources",
             "Resources of connected agents: what they have, what tasks have, and "
             "what is offered.");
  const auto amounts = [&resources](const char* is, const auto& kinds) {
    for (const auto& [kind, amount] : kinds) {
      Put(&resources, {{"kind", kind}, {"is", is}}, Amount(kind, amount));
    }
  };
  amounts("total", cluster.total());
  amounts("used", cluster.used());
  amounts("offered", cluster.offered());
  MetricFamily ended =
      Counters("proffer_tasks_ended_total", "Tasks that have ended, by state and reason.");
  for (const auto& [how, count] : ended_) {
    Put(&ended, {{"state", how.first}, {"reason", how.second}}, static_cast<double>(count));
  }
  return {
      Gauge("proffer_leading", "1; a master that does not lead has no such figure.", 1),
      Gauge("proffer_epoch", "Of this leader; it rises with every change of the lead.",
            static_cast<double>(cluster.revision().epoch())),
      Gauge("proffer_leading_since_seconds", "Since when it leads, in Unix time.",
            static_cast<double>(cluster.started_unix_ms()) / 1e3),
      HistogramFamily("proffer_turn_seconds", "How long a turn of the core takes.",
                      turns_.seconds()),
      Gauge("proffer_longest_turn_seconds", "The longest turn of the core so far.",
            static_cast<double>(cluster.longest_turn_ms()) / 1e3),
      Gauge("proffer_mailbox_events", "Events that wait for the core.",
            static_cast<double>(mailbox_->size())),
      HistogramFamily("proffer_record_seconds",
                      "How long a decision waits until its record is durable.", records_.seconds()),
      Counter("proffer_changes_total", "Changes of objects that readers were shown.",
              static_cast<double>(cluster.revision().sequence())),
      ByLabel(Gauges("proffer_agents", "Agents, by state."), "state", agents_),
      Counter("proffer_agents_lost_total", "Agents that were declared unreachable.",
              static_cast<double>(agents_lost_)),
      ByLabel(Gauges("proffer_frameworks", "Frameworks, by whether a scheduler is connected."),
              "state", frameworks_),
      ByLabel(Gauges("proffer_tasks", "Tasks that have not ended, by state."), "state", tasks_),
      Gauge("proffer_tasks_unacknowledged", "Tasks with a status that no scheduler acknowledged.",
            static_cast<double>(unacknowledged_)),
      ByLabel(Gauges("proffer_tasks_wanted", "Tasks that frameworks declared to want, by role."),
              "role", wanted_),
      Counter("proffer_tasks_launched_total",
              "Tasks that were launched, or taken over from agents.",
              static_cast<double>(launched_)),
      std::move(ended),
      HistogramFamily("proffer_launch_seconds", "From accept to RUNNING.", launch_seconds_),
      ByLabel(Gauges("proffer_offers", "Offers that wait for an answer, by role."), "role",
              offers_),
      Counter("proffer_offers_made_total", "Offers that were made.",
              static_cast<double>(offers_made_)),
      std::move(resources),
  };
}

}  // namespace proffer::master
