// One life of a simulated cluster: drawn from a seed, troubled, healed, judged.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>

#include "sim/cluster.h"

namespace proffer::sim {

struct Verdict {
  // The numbers are exit codes of proffer-sim; a crash ends it by a signal.
  enum class Kind { kOk = 0, kLiveness = 128, kSafety = 129 };
  Kind kind = Kind::kOk;
  std::string sentence;  // What was wrong.
  // Equal for equal runs: a hash of all that was said, and one more draw from the generator.
  uint64_t fingerprint = 0;
  int64_t steps = 0;
  int64_t simulated_ms = 0;
  int64_t tasks = 0;
  int64_t starts = 0;
  std::array<int64_t, kFaults> faults = {};
};

// Called with every line of the history.
using Reader = std::function<void(Time, const std::string& who, const std::string& line)>;

Verdict Live(const Life& life, const Reader& reader = nullptr);

}  // namespace proffer::sim
