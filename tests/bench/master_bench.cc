// How fast a master core turns events into effects, and what an agent and a task weigh in it.
#include <glog/logging.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/bench.h"
#include "master/core/core.h"

namespace proffer::master {
namespace {

// Plays agents and one framework against a core, without wires.
class Driver {
 public:
  Driver(int agents, const std::string& resources) {
    Config config;
    config.cluster_id = "C";
    config.epoch = 1;
    config.max_outstanding_offers = 0;
    core_ = std::make_unique<Core>(config, Registry(), now_, 0, &effects_);
    absl::StatusOr<Resources> parsed = Resources::Parse(resources);
    CHECK(parsed.ok()) << parsed.status();
    for (int i = 0; i < agents; ++i) {
      model::AgentHello hello;
      hello.version = model::ThisVersion();
      hello.agent = model::AgentId(absl::StrCat("A-", i));
      hello.info.facts.hostname = absl::StrCat("host-", i);
      hello.info.resources = *parsed;
      const StreamId stream = static_cast<StreamId>(i + 2);
      streams_[hello.agent] = stream;
      Turn(
          {AgentSaid{stream, now_, hello}, AgentSaid{stream, now_, model::TaskChunk{0, {}, true}}});
    }
  }

  void Subscribe() {
    model::Subscribe subscribe;
    subscribe.version = model::ThisVersion();
    subscribe.framework.name = "bench";
    subscribe.framework.roles = {"default"};
    Turn({SchedulerSaid{1, "bench", {1, subscribe}}});
  }

  // One turn; returns how many events went in.
  size_t Turn(const std::vector<Event>& events) {
    effects_.Clear();
    now_.ms += 1;
    core_->BeginTurn(now_, 0, &effects_);
    for (const Event& event : events) core_->Step(event);
    core_->EndTurn();
    return events.size();
  }

  // Accepts every offer of the last turn with as many tasks as fit; returns the launches.
  std::vector<std::pair<model::AgentId, model::AttemptId>> Launch(const Resources& each,
                                                                  size_t* events) {
    std::vector<Event> accepts;
    for (const ToScheduler& sent : effects_.to_schedulers) {
      const auto* offers = std::get_if<model::Offers>(&sent.event);
      if (offers == nullptr) continue;
      for (const model::Offer& offer : offers->offers) {
        model::Accept accept;
        accept.offers = {offer.id};
        accept.refuse_ms = 0;
        Resources left = offer.resources;
        while (left.Contains(each)) {
          CHECK(left.Subtract(each).ok());
          model::TaskSpec task;
          task.id = model::TaskId(absl::StrCat("task-", ++last_task_));
          task.name = task.id.value();
          task.resources = each;
          task.payload = payload_;
          accept.tasks.push_back(std::move(task));
        }
        accepts.push_back(SchedulerSaid{1, "bench", {++last_call_, std::move(accept)}});
      }
    }
    *events += Turn(accepts);
    std::vector<std::pair<model::AgentId, model::AttemptId>> launched;
    for (const ToAgent& sent : effects_.to_agents) {
      const auto* launch = std::get_if<model::LaunchTask>(&sent.order);
      if (launch == nullptr) continue;
      framework_ = launch->framework;
      launched.emplace_back(model::AgentId(absl::StrCat("A-", sent.stream - 2)), launch->attempt);
      ids_[launch->attempt] = launch->task.id;
    }
    return launched;
  }

  // A status of every launch and its acknowledgement.
  size_t Report(const std::vector<std::pair<model::AgentId, model::AttemptId>>& launched,
                model::TaskState state, uint64_t sequence) {
    std::vector<Event> updates;
    std::vector<Event> acks;
    for (const auto& [agent, attempt] : launched) {
      model::AgentUpdate update;
      update.framework = framework_;
      update.status.task = ids_[attempt];
      update.status.attempt = attempt;
      update.status.agent = agent;
      update.status.state = state;
      update.status.sequence = sequence;
      update.latest_state = state;
      updates.push_back(AgentSaid{streams_[agent], now_, update});
      acks.push_back(SchedulerSaid{
          1, "bench", {0, model::Acknowledge{update.status.task, agent, attempt, sequence}}});
    }
    size_t events = Turn(updates);
    const Effects offers_of_this_turn = std::exchange(effects_, Effects());
    events += Turn(acks);
    // Offers that were made on the way are kept for the next launch.
    for (const ToScheduler& sent : offers_of_this_turn.to_schedulers) {
      if (std::holds_alternative<model::Offers>(sent.event)) effects_.to_schedulers.push_back(sent);
    }
    return events;
  }

 private:
  Time now_{1000};
  Effects effects_;
  std::unique_ptr<Core> core_;
  std::map<model::AgentId, StreamId> streams_;
  std::map<model::AttemptId, model::TaskId> ids_;
  model::FrameworkId framework_;
  model::Payload payload_ = std::make_shared<const std::string>(std::string(200, 'x'));
  uint64_t last_task_ = 0;
  uint64_t last_call_ = 1;
};

Resources Of(const std::string& text) {
  absl::StatusOr<Resources> parsed = Resources::Parse(text);
  CHECK(parsed.ok()) << parsed.status();
  return *parsed;
}

void BenchEvents(bench::Report& report) {
  Driver driver(1000, "cpus:8;mem:32GiB;ports:[31000-31999]");
  driver.Subscribe();
  const Resources each = Of("cpus:1;mem:1GiB");
  size_t events = 0;
  size_t tasks = 0;
  double cpu_ms = 0;
  for (int round = 0; round < 5; ++round) {
    const double begin = bench::ThreadCpuMs();
    const auto launched = driver.Launch(each, &events);
    events += driver.Report(launched, model::TaskState::kRunning, 1);
    events += driver.Report(launched, model::TaskState::kFinished, 2);
    cpu_ms += bench::ThreadCpuMs() - begin;
    tasks += launched.size();
  }
  CHECK_GT(tasks, 0u);
  report.Add("core/events", {{"agents", 1000}}, events / (cpu_ms / 1000), "events/s");
  report.Add("core/task", {{"agents", 1000}}, 1000 * cpu_ms / tasks, "us");
}

void BenchBytes(bench::Report& report) {
  const int64_t before = bench::HeapBytes();
  auto driver = std::make_unique<Driver>(10'000, "cpus:16;mem:64GiB;ports:[31000-31999]");
  const int64_t with_agents = bench::HeapBytes();
  report.Add("master/bytes_per_agent", {{"agents", 10'000}},
             static_cast<double>(with_agents - before) / 10'000, "B");
  driver->Subscribe();
  size_t events = 0;
  const int64_t before_tasks = bench::HeapBytes();
  const auto launched = driver->Launch(Of("cpus:2;mem:4GiB"), &events);
  driver->Report(launched, model::TaskState::kRunning, 1);
  const int64_t with_tasks = bench::HeapBytes();
  CHECK_GT(launched.size(), 0u);
  report.Add("master/bytes_per_task", {{"tasks", static_cast<int64_t>(launched.size())}},
             static_cast<double>(with_tasks - before_tasks) / launched.size(), "B");
}

}  // namespace
}  // namespace proffer::master

int main(int argc, char** argv) {
  proffer::bench::Report report(argc, argv);
  if (report.Wants("core/events")) proffer::master::BenchEvents(report);
  if (report.Wants("master/bytes_per_agent")) proffer::master::BenchBytes(report);
  return report.Finish();
}
