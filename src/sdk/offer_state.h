// What is behind an Offer in the user's hands.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proffer/offer.h"
#include "sdk/driver_gate.h"

namespace proffer {

struct Offer::State {
  std::string id;
  std::string agent_id;
  model::Offer offer;
  Resources left;
  std::vector<model::TaskSpec> launches;
  std::optional<int64_t> refuse_ms;
  DeclineReason reason = DeclineReason::kUnspecified;
  bool answered = false;
  std::shared_ptr<sdk::DriverGate> gate;
};

}  // namespace proffer
