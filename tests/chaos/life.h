// One run: a cluster is started, breaks in every way for a while, heals, and is judged.
#pragma once

#include <cstdint>
#include <string>

#include "chaos/result.h"

namespace proffer::chaos {

struct LifeOptions {
  uint64_t seed = 1;
  int64_t faults_ms = 40'000;
  std::string directory;  // Ours alone.
  std::string groups;     // Begins the names of control groups; empty: tasks are not contained.
};

// REQUIRES: we are process 1 of a process namespace, alone in our network namespace, and in a mount
// namespace of our own.
Result Live(const LifeOptions& options);

}  // namespace proffer::chaos
