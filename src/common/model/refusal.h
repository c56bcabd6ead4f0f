// Why something was refused. A refusal is a value that goes back to whoever asked; it never
// unwinds a core. The numbers are those of proffer.v1.Refusal.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace proffer::model {

enum class Refusal {
  kNone = 0,
  kInvalid = 1,
  kNotSubscribed = 2,
  kUnauthorized = 3,
  kStaleOffer = 4,
  kForeignOffer = 5,
  kOffersDisagree = 6,
  kNotEnough = 7,
  kDuplicateTask = 8,
  kUnknownTask = 9,
  kUnknownRole = 10,
  kUnknownFramework = 11,
  kFrameworkRemoved = 12,
  kSuperseded = 13,
  kWrongCluster = 14,
  kStaleEpoch = 15,
  kStaleResources = 16,
  kAgentGone = 17,
  kAgentUnavailable = 18,
  kNotKnownYet = 19,
  kTooMany = 20,
  kUnsupportedVersion = 21,
  kNotLeader = 22,
  kTooSlow = 23,
  kWrongPrincipal = 24,
};
inline constexpr int kRefusalMax = 24;

absl::string_view RefusalName(Refusal refusal);

// A refusal with its sentence; `refusal` kNone means "ok".
struct Outcome {
  Refusal refusal = Refusal::kNone;
  std::string message;

  bool ok() const { return refusal == Refusal::kNone; }
  static Outcome Ok() { return {}; }
};

}  // namespace proffer::model
