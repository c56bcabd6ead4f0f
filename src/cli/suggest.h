// "Did you mean ...?"
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace proffer::cli {

// How many letters must be changed, added, left out or swapped with their neighbour.
int EditDistance(absl::string_view a, absl::string_view b);
// The one nearest to `word`, if it is near enough to be meant; else "".
std::string Nearest(absl::string_view word, const std::vector<std::string>& known);

}  // namespace proffer::cli
