// The offers that may still be used: neither used, declined, rescinded, nor held for too long.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "common/base/time.h"
#include "common/model/offer.h"

namespace proffer::sdk {

class OfferTable {
 public:
  explicit OfferTable(int64_t hold_ms) : hold_ms_(hold_ms) {}

  struct Row {
    model::AgentId agent;
    Time until;  // Declined then.
  };

  void Add(Time now, const model::Offer& offer);
  const Row* Find(model::OfferId id) const;
  // False if it was not usable.
  bool Remove(model::OfferId id);
  // All that are usable, in order; none afterwards.
  std::vector<model::OfferId> TakeAll();
  // Those held for too long; not usable afterwards.
  std::vector<model::OfferId> TakeExpired(Time now);
  Time NextDeadline() const;
  size_t size() const { return rows_.size(); }

 private:
  const int64_t hold_ms_;
  std::map<model::OfferId, Row> rows_;
};

}  // namespace proffer::sdk
