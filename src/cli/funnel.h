// Why something waits: the master's explanation as a funnel, ending in what would help.
#pragma once

#include <ostream>

#include "cli/style.h"
#include "proffer/v1/operator.pb.h"

namespace proffer::cli {

void PrintExplanation(std::ostream& out, const Style& style,
                      const v1::ExplainResponse& explanation);

}  // namespace proffer::cli
