#include <algorithm>
#include <set>

#include "chaos/judges/judges.h"

namespace proffer::chaos {

int64_t UpdatesDelivered(const std::vector<WitnessLine>& witness,
                         const std::vector<ClientLine>& clients, int64_t healed_ms) {
  std::set<std::string> waited_for;
  for (const WitnessLine& line : witness) {
    if (line.is_end && line.at_ms < healed_ms) waited_for.insert(SubmittedId(line.task));
  }
  int64_t last_ms = healed_ms;
  // Who heard it first; later repetitions do not count.
  for (const ClientLine& line : clients) {
    if (line.event == "end" && waited_for.erase(line.task) > 0) {
      last_ms = std::max(last_ms, line.at_ms);
    }
  }
  return last_ms - healed_ms;
}

}  // namespace proffer::chaos
