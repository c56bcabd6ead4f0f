// One life of a simulated cluster: drawn from a seed, troubled, healed, judged.
#pragma once

#include <cstdint>
#include <string>

namespace proffer::sim {

struct Verdict {
  enum class Kind { kOk = 0, kLiveness = 128, kSafety = 129 };
  Kind kind = Kind::kOk;
  std::string sentence;  // What was wrong.
  // Equal for equal runs: a hash of all that was said, and one more draw from the generator.
  uint64_t fingerprint = 0;
  int64_t steps = 0;
  int64_t simulated_ms = 0;
  int64_t tasks = 0;
  int64_t starts = 0;
  int64_t faults = 0;
};

Verdict RunSeed(uint64_t seed, bool verbose = false);

}  // namespace proffer::sim
