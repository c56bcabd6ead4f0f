// A table of usable offers.
#include "sdk/core/offer_table.h"

#include <algorithm>

namespace proffer::sdk {

void OfferTable::Add(Time now, const model::Offer& offer) {
  rows_[offer.id] = {offer.agent, now + hold_ms_};
}

const OfferTable::Row* OfferTable::Find(model::OfferId id) const {
  auto it = rows_.find(id);
  return it == rows_.end() ? nullptr : &it->second;
}

bool OfferTable::Remove(model::OfferId id) { return rows_.erase(id) > 0; }

std::vector<model::OfferId> OfferTable::TakeAll() {
  std::vector<model::OfferId> taken;
  for (const auto& [id, row] : rows_) taken.push_back(id);
  rows_.clear();
  return taken;
}

std::vector<model::OfferId> OfferTable::TakeExpired(Time now) {
  std::vector<model::OfferId> taken;
  if (NextDeadline() > now) return taken;
  std::erase_if(rows_, [&](const auto& entry) {
    if (entry.second.until > now) return false;
    taken.push_back(entry.first);
    return true;
  });
  return taken;
}

Time OfferTable::NextDeadline() const {
  // Ids count up within an epoch, and a stream has one epoch: the first is the oldest.
  return rows_.empty() ? Time::Never() : rows_.begin()->second.until;
}

}  // namespace proffer::sdk
