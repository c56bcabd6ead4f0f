// Offers and demand, as the protocol carries them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/model/ids.h"
#include "proffer/constraints.h"
#include "proffer/quantity.h"
#include "proffer/resources.h"

namespace proffer::model {

struct Offer {
  OfferId id;
  std::string role;
  AgentId agent;
  AgentFacts facts;
  Resources resources;
  uint64_t resources_generation = 0;
};

struct Demand {
  std::string role;
  Quantities shape;
  int64_t count = 0;
  Constraints constraints;
  std::string label;
};

// The numbers are those of proffer.v1.DeclineReason.
enum class DeclineReason {
  kUnspecified = 0,
  kNothingToRun = 1,
  kNotEnoughCpus = 2,
  kNotEnoughMem = 3,
  kNotEnoughDisk = 4,
  kNotEnoughGpus = 5,
  kNotEnoughPorts = 6,
  kNotEnoughOther = 7,
  kConstraint = 8,
  kBackingOff = 9,
};
inline constexpr int kDeclineReasonMax = 9;

}  // namespace proffer::model
