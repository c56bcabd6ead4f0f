// The identifiers of everything. Agent and framework ids are a prefix and random letters; offers
// and attempts are numbered within the epoch of the master that made them; task ids are the
// framework's own, so a task is named by the pair.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/base/strong_id.h"

namespace proffer::model {

struct AgentIdTag {};
struct FrameworkIdTag {};
struct TaskIdTag {};
using AgentId = StrongId<AgentIdTag>;
using FrameworkId = StrongId<FrameworkIdTag>;
using TaskId = StrongId<TaskIdTag>;

// (epoch, n); {0, 0} is "none".
template <typename Tag>
struct EpochNumber {
  uint64_t epoch = 0;
  uint64_t n = 0;

  bool valid() const { return epoch != 0; }
  std::string ToString() const { return std::to_string(epoch) + "-" + std::to_string(n); }
  friend auto operator<=>(const EpochNumber&, const EpochNumber&) = default;
  friend std::ostream& operator<<(std::ostream& os, const EpochNumber& id) {
    return os << id.ToString();
  }
};
struct OfferIdTag {};
struct AttemptIdTag {};
using OfferId = EpochNumber<OfferIdTag>;
using AttemptId = EpochNumber<AttemptIdTag>;

struct TaskKey {
  FrameworkId framework;
  TaskId task;
  friend auto operator<=>(const TaskKey&, const TaskKey&) = default;
  friend bool operator==(const TaskKey&, const TaskKey&) = default;
  friend std::ostream& operator<<(std::ostream& os, const TaskKey& key) {
    return os << key.framework << "/" << key.task;
  }
};

// OK, or what is wrong with an id or name that comes from outside and may become part of a path:
// [A-Za-z0-9._-]{1,128}, not "." or "..".
absl::Status ValidateId(absl::string_view what, absl::string_view id);

}  // namespace proffer::model
