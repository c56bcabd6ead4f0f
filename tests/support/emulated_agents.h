// Many agents in one process, for measuring masters: each has the real core, link, conversion and
// gRPC, and a connection of its own. Their containers begin at once and live until they are killed;
// nothing is written down, because nobody restarts them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "agent/core/core.h"
#include "agent/mail.h"
#include "agent/master_link.h"
#include "common/base/mutex.h"
#include "common/leader/leader_finder.h"

namespace proffer::testing {

class EmulatedAgents {
 public:
  // `masters` and `resources` as an agent's flags take them. They connect at once.
  EmulatedAgents(int count, const std::string& masters, const std::string& resources);
  ~EmulatedAgents();
  EmulatedAgents(const EmulatedAgents&) = delete;
  EmulatedAgents& operator=(const EmulatedAgents&) = delete;

  // Until all of them are registered under that epoch or a later one; false: not in time.
  bool AwaitRegistered(uint64_t epoch, int64_t patience_ms);

 private:
  // One agent: its turns are what an agent's core thread does.
  class One;

  // The turns of every n-th agent, n being the number of threads: ten thousand threads would cost
  // more than what is to be measured.
  void TakeTurns(size_t first);
  // Told by the agents when what they are registered under changes.
  void Registered(int number, uint64_t epoch);

  Mutex mutex_;
  CondVar changed_;
  std::vector<uint64_t> epochs_ GUARDED_BY_MUTEX(mutex_);  // By agent; 0: not registered.
  std::vector<std::unique_ptr<One>> agents_;
  std::atomic<bool> ending_{false};
  std::vector<std::thread> threads_;
};

}  // namespace proffer::testing
