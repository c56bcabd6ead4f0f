// Everything a master core can decide, in the imperative. The shell carries it out: it writes the
// records, and says what carries an `after_seq` once that record is durable.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "allocator/allocator.h"
#include "common/base/time.h"
#include "common/model/agent_protocol.h"
#include "common/model/scheduler_protocol.h"
#include "master/core/events.h"
#include "master/core/records.h"
#include "master/core/views.h"

namespace proffer::master {

struct WriteRecord {
  uint64_t seq = 0;  // Counts up by one.
  Record record;
};

struct ToAgent {
  StreamId stream = 0;
  uint64_t after_seq = 0;
  model::AgentOrder order;
  bool last = false;  // Close the stream behind it.
};

struct ToScheduler {
  StreamId stream = 0;
  uint64_t after_seq = 0;
  model::SchedulerEvent event;
  bool last = false;
};

// An object changed; for readers. `view` is the whole object, as it was last when `removed`.
struct Delta {
  uint64_t after_seq = 0;
  View view;
  bool removed = false;
};

struct OperatorAnswer {
  uint64_t request = 0;
  uint64_t after_seq = 0;
  model::Outcome outcome;
};

// A copy to explain with, on any thread.
struct ExplainBasis {
  struct FrameworkRow {
    allocator::FrameworkIndex index;
    std::string name;
    bool connected = false;
    std::vector<std::string> roles;
  };
  ExplainBasis(const allocator::Allocator& a, Time t) : allocator(a), now(t) {}

  allocator::Allocator allocator;
  Time now;
  std::map<model::FrameworkId, FrameworkRow> frameworks;
  std::vector<std::string> hostnames;  // By agent index.
};

struct Effects {
  std::vector<WriteRecord> records;
  std::vector<ToAgent> to_agents;
  std::vector<ToScheduler> to_schedulers;
  std::vector<Delta> deltas;
  std::vector<OperatorAnswer> answers;
  std::vector<std::pair<uint64_t, std::shared_ptr<const ExplainBasis>>> explain;
  // One line per state change, for the log.
  std::vector<std::string> notes;

  void Clear() { *this = Effects(); }
};

}  // namespace proffer::master
