// The table of outstanding offers, and what becomes of each: accepted, declined, rescinded, or
// timed out.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/model/offer.h"
#include "common/model/scheduler_protocol.h"
#include "master/core/views.h"

namespace proffer::master {

struct World;
struct Agent;
struct Framework;

struct Offer {
  model::OfferId id;
  model::FrameworkId framework;
  model::AgentId agent;
  std::string role;
  Resources resources;
  int64_t made_unix_ms = 0;
};

class Offers {
 public:
  Offer* Find(model::OfferId id);
  Offer& Add(Offer offer);
  void Remove(model::OfferId id) { by_id_.erase(id); }
  const std::map<model::OfferId, Offer>& all() const { return by_id_; }

 private:
  std::map<model::OfferId, Offer> by_id_;
};

// Asks the allocator and sends what it grants. Once a turn.
void MakeOffers(World& world);

void OffersAccepted(World& world, Framework& framework, uint64_t call_id,
                    const model::Accept& accept);
void OffersDeclined(World& world, Framework& framework, uint64_t call_id,
                    const model::Decline& decline);
void OfferTimedOut(World& world, uint64_t n);

// Gives resources back and tells the framework.
void RescindAll(World& world, Agent& agent, const std::string& reason);
void RescindAll(World& world, Framework& framework, const std::string& reason);
// Gives resources back without a word: the framework is not there to hear it.
void DiscardAll(World& world, Framework& framework);

OfferView ViewOf(const World& world, const Offer& offer);

}  // namespace proffer::master
