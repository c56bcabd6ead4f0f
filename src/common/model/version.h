// The version a peer announces in its hello.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace proffer::model {

struct Version {
  uint32_t major = 0;
  uint32_t minor = 0;
  uint32_t patch = 0;
  std::vector<std::string> capabilities;

  std::string ToString() const {
    return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
  }
  friend bool operator==(const Version&, const Version&) = default;
};

// What this build announces.
Version ThisVersion();
// N and N-1 talk: the same major version (0.x: minor versions that differ by at most 1).
bool Compatible(const Version& mine, const Version& theirs);

}  // namespace proffer::model
