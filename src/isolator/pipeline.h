// All isolators, one after the other.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "isolator/isolator.h"

namespace proffer::isolator {

// Every isolator adds its part. The error of one names it.
absl::Status PlanAll(const TaskNeeds& needs, const MachineFacts& facts, LaunchPlan* plan);

// One line on what is not enforced on this machine and why, or "".
std::string NotEnforced(const MachineFacts& facts);

// The whole plan for people, a line a fact, with what will be written into control groups.
std::string Print(const LaunchPlan& plan, const MachineFacts& facts);

}  // namespace proffer::isolator
