#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "chaos/judges/judges.h"

namespace proffer::chaos {

std::vector<RegistryWrite> ParseTransactions(const std::string& text) {
  std::vector<RegistryWrite> writes;
  return writes;
}

}  // namespace proffer::chaos
