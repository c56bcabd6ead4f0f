// Who says that it leads, written down as soon as it is said. By our own time: those who say it
// have clocks that may be wrong.
//
// THREAD: one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "chaos/judges/judges.h"
#include "common/base/time.h"

namespace proffer::chaos {

class Leaderships {
 public:
  // Logs of masters, by name, which need not be there yet.
  explicit Leaderships(std::map<std::string, std::string> logs) : logs_(std::move(logs)) {}

  // Reads on. To be called often.
  void Tick(Time now);

  // In the order in which they were said; of those that were found at the same time by epoch, since
  // nobody knows.
  const std::vector<Leadership>& all() const { return all_; }

 private:
  const std::map<std::string, std::string> logs_;
  std::map<std::string, int64_t> read_;  // Bytes of whole lines.
  std::vector<Leadership> all_;
};

}  // namespace proffer::chaos
