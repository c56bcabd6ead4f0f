// Many lives, spread over processes: one that crashes takes only its own seed with it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sim/life.h"

namespace proffer::sim {

struct Plan {
  Life life;  // Its seed is overruled.
  std::vector<uint64_t> seeds;
  int jobs = 1;
  std::string mutant;      // Switched on in every life; empty: none.
  bool stop_early = true;  // After the first failure.
  int twice_every = 50;    // Of so many seeds one is lived twice; 0: none.
};

// One of them, as the campaign lives it.
Life LifeOf(const Plan& plan, uint64_t seed);

struct Failure {
  enum class Kind { kCrash = 127, kLiveness = 128, kSafety = 129 };
  uint64_t seed = 0;
  Kind kind = Kind::kCrash;
  std::string sentence;
};

struct Tally {
  int64_t lives = 0;
  int64_t twice = 0;
  int64_t steps = 0;
  int64_t simulated_ms = 0;
  int64_t tasks = 0;
  int64_t starts = 0;
  std::array<int64_t, kFaults> faults = {};
  std::map<std::string, int64_t> probes;  // By name; those never reached are there with 0.
  std::map<std::string, int64_t> maybes;
  std::vector<Failure> failures;

  int64_t all_faults() const;
  void Add(const Tally& other);
};

// `progress` is called now and then with the tally so far.
Tally RunCampaign(const Plan& plan, const std::function<void(const Tally&)>& progress);

}  // namespace proffer::sim
