// Why a framework waits, in numbers and in words: worked out on a copy of the allocator.
#pragma once

#include "master/core/effects.h"
#include "proffer/v1/operator.pb.h"

namespace proffer::master {

// Fills `waiting`, `notes`, shares and the summary for one framework.
void ExplainFramework(const ExplainBasis& basis, const v1::FrameworkView& framework,
                      v1::ExplainResponse* out);

}  // namespace proffer::master
