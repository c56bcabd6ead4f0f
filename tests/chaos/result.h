// What a run has to say, as the process that lived it tells the one that counts: lines of text.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace proffer::chaos {

struct Result {
  std::map<std::string, int> faults;       // By name.
  std::map<std::string, int64_t> figures;  // "leader_ms", "tasks", ...
  std::vector<std::string> violations;
  std::vector<std::string> story;  // For people.
  std::string void_because;        // Not empty: the run says nothing about us.

  friend bool operator==(const Result&, const Result&) = default;
};

std::string Print(const Result& result);
// A text that does not come to its end is a violation: the run died.
Result ParseResult(const std::string& text);

// Rounded up: the `percent`-th of the values; 0 of none.
int64_t Percentile(std::vector<int64_t> values, int percent);

}  // namespace proffer::chaos
