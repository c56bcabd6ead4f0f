// Which tasks must stop after how long a silence of the leading master.
#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>

#include "common/base/time.h"
#include "common/model/ids.h"

namespace proffer::agent {

class ContactDeadlines {
 public:
  void Add(const model::AttemptId& attempt, int64_t stop_after_ms) {
    if (stop_after_ms > 0) limits_.emplace(stop_after_ms, attempt);
  }
  void Remove(const model::AttemptId& attempt, int64_t stop_after_ms) {
    limits_.erase({stop_after_ms, attempt});
  }

  // When the first of them is due. A limit shorter than two pings would end a task between two
  // pings of a healthy path, so it counts as two pings.
  Time Next(Time last_contact, int64_t ping_ms) const {
    if (limits_.empty()) return Time::Never();
    return last_contact + std::max(limits_.begin()->first, 2 * ping_ms);
  }
  // REQUIRES: Next is not Never.
  const model::AttemptId& first() const { return limits_.begin()->second; }

 private:
  std::set<std::pair<int64_t, model::AttemptId>> limits_;
};

}  // namespace proffer::agent
