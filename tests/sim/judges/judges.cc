#include "sim/judges/judges.h"

namespace proffer::sim {

void AddJudges(Cluster* cluster) {}

}  // namespace proffer::sim
