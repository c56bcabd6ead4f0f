// The judges. Each knows one family of invariants (docs/testing.md has the list), watches from
// outside, and believes nothing that the system says of itself.
#pragma once

#include "sim/cluster.h"

namespace proffer::sim {

void AddJudges(Cluster* cluster);

}  // namespace proffer::sim
