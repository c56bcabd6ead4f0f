// The simulated world: one queue of things to happen in virtual time, one seeded generator, and
// wires between processes that carry real bytes. Same seed, same world.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "common/base/prng.h"
#include "common/base/time.h"

namespace proffer::sim {

// How badly this run's world behaves; drawn from the seed.
struct Weather {
  int64_t latency_min_ms = 1;
  int64_t latency_max_ms = 5;
  int64_t disk_max_ms = 5;          // A durable write takes up to that long.
  int64_t wire_break_every_ms = 0;  // On average, somewhere; 0: never.
  int64_t master_crash_every_ms = 0;
  int64_t agent_crash_every_ms = 0;
  int64_t framework_crash_every_ms = 0;
  int64_t pause_every_ms = 0;  // A process stands still for a while.
};

class World {
 public:
  explicit World(uint64_t seed);

  Time now() const { return now_; }
  int64_t unix_ms() const { return 1'700'000'000'000 + now_.ms; }
  Prng& prng() { return prng_; }
  Weather& weather() { return weather_; }

  void At(Time when, std::function<void()> what);
  void After(int64_t ms, std::function<void()> what) { At(now_ + ms, std::move(what)); }
  // Runs what happens until `until`, or until `done` says so after a step. False: time is up.
  bool Run(Time until, const std::function<bool()>& done);

  int64_t Latency() { return prng_.Between(weather_.latency_min_ms, weather_.latency_max_ms); }
  int64_t DiskTime() { return prng_.Between(1, weather_.disk_max_ms); }

  // Everything that is said goes into the trace; its hash tells two runs apart.
  void Trace(const std::string& who, const std::string& bytes);
  uint64_t trace_hash() const { return hash_; }
  int64_t steps() const { return steps_; }
  // Prints every step to stderr.
  void set_verbose(bool verbose) { verbose_ = verbose; }
  bool verbose() const { return verbose_; }

  // Something that must never be true was seen.
  void Violation(const std::string& sentence);
  const std::vector<std::string>& violations() const { return violations_; }

 private:
  Prng prng_;
  Weather weather_;
  Time now_{1000};
  uint64_t last_ = 0;
  std::map<std::pair<Time, uint64_t>, std::function<void()>> queue_;
  uint64_t hash_ = 14695981039346656037ULL;
  int64_t steps_ = 0;
  bool verbose_ = false;
  std::vector<std::string> violations_;
};

// A stream between two processes: in order both ways until it breaks; then what is on its way is
// lost and each side hears of it, sooner or later.
class Wire : public std::enable_shared_from_this<Wire> {
 public:
  enum End { kClient = 0, kServer = 1 };
  struct Side {
    std::function<void(const std::string&)> on_bytes;
    std::function<void()> on_closed;
  };

  explicit Wire(World* world) : world_(world) {}
  void Attach(End end, Side side) { sides_[end] = std::move(side); }

  void Send(End from, std::string bytes);
  // Closed in order behind what was sent; the other side hears of it.
  void Close(End from);
  // Cut: what is on its way is lost.
  void Break();
  // That process is no more; it must not be called again, and the other side finds out.
  void Die(End end);
  bool broken() const { return broken_; }

 private:
  void Deliver(End to, const std::string& bytes);
  void TellClosed(End to);

  World* const world_;
  Side sides_[2];
  bool told_closed_[2] = {false, false};
  Time last_arrival_[2];
  bool broken_ = false;
};

}  // namespace proffer::sim
