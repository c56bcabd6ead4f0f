// Proof that the judges can see: each known mistake is put back in and lived with until somebody
// notices, and for each invariant is kept which mistakes it noticed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sim/campaign.h"

namespace proffer::sim {

struct Sighting {
  std::string mutant;
  int64_t seeds = 0;     // Lives until it was noticed, that one counted; 0: it was not.
  std::string sentence;  // As what it was noticed first.
  std::map<std::string, int64_t> seen_as;  // Invariant -> in so many lives.
};

struct MutationPlan {
  Plan plan;                // Its seeds are overruled.
  uint64_t first = 1;       // Seeds are counted up from here.
  uint64_t most = 8'000;    // Lives with a mutant that nobody notices.
  uint64_t at_least = 100;  // Lives with each, so that more than one judge gets to see it.
};

// In order of their names. `progress` is called after each.
std::vector<Sighting> RunMutants(const MutationPlan& plan,
                                 const std::function<void(const Sighting&)>& progress);

// What a failure is a failure of: "T3", "live", "crash".
std::string InvariantOf(const Failure& failure);

// Both tables, mutant -> seeds and invariant -> mutants, as a document.
std::string MutationTables(const MutationPlan& plan, const std::vector<Sighting>& sightings);

// The invariants that judges name and none of the sightings is of.
std::vector<std::string> Unseen(const std::vector<Sighting>& sightings);

}  // namespace proffer::sim
