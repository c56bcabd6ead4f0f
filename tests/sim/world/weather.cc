#include "sim/world/weather.h"

namespace proffer::sim {
namespace {

struct Kind {
  const char* name;
  int64_t low;  // Between two of them, in ms; or the chance in thousandths.
  int64_t high;
};

constexpr Kind kKinds[kFaults] = {
    {"stream-reset", 500, 10'000},
    {"half-open", 2'000, 20'000},
    {"partition", 5'000, 30'000},
    {"one-way-partition", 5'000, 30'000},
    {"swizzle-clog", 10'000, 30'000},
    {"mass-partition", 10'000, 60'000},
    {"latency-storm", 5'000, 20'000},
    {"master-crash", 4'000, 30'000},
    {"master-crash-at-step", 4'000, 30'000},
    {"master-pause", 5'000, 30'000},
    {"leader-flap", 5'000, 30'000},
    {"store-slow", 5'000, 20'000},
    {"store-fails", 8'000, 40'000},
    {"store-silent", 8'000, 40'000},
    {"store-gone", 10'000, 40'000},
    {"registry-wiped", 15'000, 60'000},
    {"agent-crash", 2'000, 20'000},
    {"agent-crash-at-step", 2'000, 20'000},
    {"agent-pause", 5'000, 30'000},
    {"agent-disk-slow", 3'000, 20'000},
    {"agent-disk-fails", 10'000, 40'000},
    {"agent-power-cut", 8'000, 40'000},
    {"agent-reboot", 8'000, 40'000},
    {"agent-reimaged", 15'000, 60'000},
    {"agent-resized", 8'000, 40'000},
    {"agent-marked-gone", 15'000, 60'000},
    {"launcher-down", 5'000, 30'000},
    {"shim-killed", 3'000, 20'000},
    {"run-directory-lost", 3'000, 20'000},
    {"launch-fails", 10, 200},   // Thousandths.
    {"out-of-memory", 10, 200},  // Thousandths.
    {"hangs-on-kill", 50, 500},  // Thousandths.
    {"framework-crash", 2'000, 20'000},
    {"framework-crash-at-step", 2'000, 20'000},
    {"framework-pause", 5'000, 30'000},
    {"framework-taken-over", 4'000, 30'000},
    {"framework-away", 10'000, 60'000},
    {"user-kills", 1'000, 6'000},
    {"clock-drift", 10, 1'000},  // Parts of a million.
    {"wall-clock-set", 5'000, 30'000},
    {"hoarder", 1, 1},
    {"never-acknowledges", 1, 1},
    {"refuses-all", 1, 1},
    {"reconnect-loop", 1, 1},
    {"garbage", 1, 1},
    {"maybe", 1, 1},
};

}  // namespace

absl::string_view FaultName(Fault fault) { return kKinds[static_cast<int>(fault)].name; }

bool ParseFault(absl::string_view name, Fault* out) {
  for (int i = 0; i < kFaults; ++i) {
    if (name != kKinds[i].name) continue;
    *out = static_cast<Fault>(i);
    return true;
  }
  return false;
}

Weather Weather::Draw(Prng* prng, const std::array<bool, kFaults>& allowed) {
  Weather weather;
  if (prng->Chance(1, 2)) weather.latency_max_ms = prng->Between(5, 1'500);
  if (prng->Chance(1, 3)) weather.disk_max_ms = prng->Between(5, 400);
  if (prng->Chance(1, 4)) weather.launch_max_ms = prng->Between(5, 2'000);
  // Some runs have a little of much, others much of a little.
  const auto one_in = static_cast<uint32_t>(prng->Between(2, 8));
  for (int i = 0; i < kFaults; ++i) {
    const bool drawn = prng->Chance(1, one_in);
    const int64_t rate = prng->Between(kKinds[i].low, kKinds[i].high);
    if (drawn && allowed[i]) weather.every[i] = rate;
  }
  return weather;
}

}  // namespace proffer::sim
