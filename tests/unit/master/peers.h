// What stands on the other end of a master core's streams in tests: agents and schedulers that
// keep to the protocol, and say exactly what a scenario tells them to.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/model/agent_protocol.h"
#include "common/model/scheduler_protocol.h"
#include "master/core/events.h"

namespace proffer::master {

// An agent: runs nothing, but remembers what it was told to run and which statuses were not
// acknowledged.
class FakeAgent {
 public:
  struct Task {
    model::TaskSummary summary;
    std::deque<model::TaskStatus> unacknowledged;  // The first one is in flight.
    uint64_t last_sequence = 0;
  };

  model::AgentHello Hello() const;
  // What it answers to an order; also takes the order in.
  std::vector<model::AgentMessage> Answers(const model::AgentOrder& order);
  // A change of a task; nothing while an older status is in flight. Null if it has no such task.
  std::optional<model::AgentMessage> Change(const std::string& task, model::TaskStatus status);
  model::AgentMessage ChangeRow(Task* row, model::TaskStatus status);
  // The newest attempt of that task id, of whichever framework.
  Task* Find(const std::string& task);
  model::TaskChunk Chunk(int64_t cursor) const;

  StreamId stream = 0;
  std::string hostname;
  model::AgentId id;
  std::string cluster_id;
  uint64_t highest_epoch = 0;
  uint64_t generation = 1;
  model::AgentInfo info;
  model::Version version;
  bool silent = false;  // Answers no ping.
  bool manual = false;  // Does not report its tasks when asked.
  int64_t chunk = 1'000'000;
  std::map<std::pair<model::TaskKey, model::AttemptId>, Task> tasks;

 private:
  model::AgentMessage InFlight(const Task& task) const;
};

// A scheduler: remembers its id and the statuses it should acknowledge.
struct FakeScheduler {
  StreamId stream = 0;
  std::string principal = "local:1000";
  model::Subscribe subscribe;
  uint64_t last_call = 0;
  bool silent = false;                                      // Answers no heartbeat.
  std::map<std::string, model::TaskStatus> to_acknowledge;  // By task id.
  model::OfferId last_offer;

  void Hear(const model::SchedulerEvent& event);
};

}  // namespace proffer::master
