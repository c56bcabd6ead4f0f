// The simulated world: one queue of things to happen in virtual time and one seeded generator. Same
// seed, same world.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/base/prng.h"
#include "common/base/time.h"
#include "sim/world/weather.h"

namespace proffer::sim {

class World {
 public:
  explicit World(uint64_t seed) : prng_(seed) {}
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Physical time; what processes read are clocks of their own (process.h).
  Time now() const { return now_; }
  // The wall clock that people are told of; it may be set.
  int64_t unix_ms() const { return 1'700'000'000'000 + now_.ms + wall_offset_ms_; }
  void SetWallClock(int64_t offset_ms) { wall_offset_ms_ = offset_ms; }
  Prng& prng() { return prng_; }
  Weather& weather() { return weather_; }

  // What is due at the same time happens in the order in which it was asked for.
  void At(Time when, std::function<void()> what);
  void After(int64_t ms, std::function<void()> what) { At(now_ + ms, std::move(what)); }
  // Runs what happens until `until`, or until `done` says so after a step, or until a violation.
  // False: not done.
  bool Run(Time until, const std::function<bool()>& done);

  int64_t Latency() { return prng_.Between(weather_.latency_min_ms, weather_.latency_max_ms); }
  int64_t DiskTime() { return prng_.Between(1, weather_.disk_max_ms); }

  // Everything that is said goes into the trace; its hash tells two runs apart. `text` is called
  // only when somebody reads along.
  void Trace(const std::string& who, const std::string& bytes,
             const std::function<std::string()>& text = nullptr);
  uint64_t trace_hash() const { return hash_; }
  int64_t steps() const { return steps_; }
  // Called with every line of the history.
  void ReadAlong(
      std::function<void(Time, const std::string& who, const std::string& line)> reader) {
    reader_ = std::move(reader);
  }

  // Something was seen that must never be.
  void Violation(const std::string& sentence);
  const std::vector<std::string>& violations() const { return violations_; }

 private:
  struct Entry {
    Time when;
    uint64_t number;
    std::function<void()> what;
    // The heap has the greatest on top.
    bool operator<(const Entry& other) const {
      return when != other.when ? other.when < when : other.number < number;
    }
  };

  Prng prng_;
  Weather weather_;
  Time now_{1'000};
  int64_t wall_offset_ms_ = 0;
  uint64_t last_ = 0;
  std::vector<Entry> queue_;  // A heap.
  uint64_t hash_ = 14695981039346656037ULL;
  int64_t steps_ = 0;
  std::function<void(Time, const std::string&, const std::string&)> reader_;
  std::vector<std::string> violations_;
};

}  // namespace proffer::sim
