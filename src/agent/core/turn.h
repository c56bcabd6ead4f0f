// What every part of the core needs within one turn: the time, the numbers of the records, where
// the effects go.
#pragma once

#include <cstdint>
#include <utility>

#include "agent/core/effects.h"
#include "agent/core/records.h"
#include "common/base/time.h"

namespace proffer::agent {

// Numbers the records of this life.
struct Journal {
  uint64_t last_seq = 0;
  // What everything that is said or done waits for: the identity with the epoch that is obeyed.
  uint64_t identity_seq = 0;
};

struct Turn {
  Time now;
  int64_t wall_offset_ms = 0;
  Journal* journal = nullptr;
  Effects* effects = nullptr;

  uint64_t Write(Record record) const {
    effects->checkpoints.push_back({++journal->last_seq, std::move(record)});
    return journal->last_seq;
  }
  void Command(uint64_t after_seq, ContainerCommand command) const {
    if (after_seq < journal->identity_seq) after_seq = journal->identity_seq;
    effects->commands.push_back({after_seq, std::move(command)});
  }
  void Send(uint64_t after_seq, uint64_t link, model::AgentMessage message) const {
    if (after_seq < journal->identity_seq) after_seq = journal->identity_seq;
    effects->messages.push_back({after_seq, link, std::move(message)});
  }
  int64_t UnixNowMs() const { return now.ms + wall_offset_ms; }
};

}  // namespace proffer::agent
