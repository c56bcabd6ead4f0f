// Makes a failure readable: as few kinds of fault as still show it, and of its history what has to
// do with it.
#pragma once

#include <string>
#include <vector>

#include "sim/campaign.h"

namespace proffer::sim {

struct Short {
  Life life;  // Fails in the same way with fewer kinds of fault.
  std::string sentence;
  std::vector<std::string> history;  // The scenario's text form: one line a happening.
};

// REQUIRES: the failure is no crash.
Short Shorten(const Life& life, const Failure& failure);

// The kinds that may happen in `life`, as --faults takes them; "all", "none".
std::string FaultsText(const Life& life);

}  // namespace proffer::sim
