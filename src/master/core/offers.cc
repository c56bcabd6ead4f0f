#include "master/core/offers.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/simulation.h"
#include "master/core/validate.h"
#include "master/core/world.h"

namespace proffer::master {
namespace {

// Takes the offer off every table; its resources stay "offered" until somebody moves them on.
Offer TakeOut(World& world, model::OfferId id) {
  Offer offer = std::move(*world.offers.Find(id));
  world.offers.Remove(id);
  world.touched.offers.erase(id);
  Framework& framework = *world.frameworks.Find(offer.framework);
  Agent& agent = *world.agents.Find(offer.agent);
  framework.offers.erase(id);
  agent.offers.erase(id);
  world.timers.Cancel({TimerKind::kOffer, id.n});
  world.allocator.GrantClosed(framework.index);
  world.Removed(ViewOf(world, offer));
  world.Touch(framework);
  world.Touch(agent);
  return offer;
}

// Gives an offer back whole, without refusing anything.
void GiveBack(World& world, model::OfferId id) {
  const Offer offer = TakeOut(world, id);
  ReturnOffered(world, *world.agents.Find(offer.agent),
                world.frameworks.Find(offer.framework)->index, offer.role, offer.resources);
}

allocator::Amounts AmountsOf(World& world, const Resources& resources) {
  allocator::Amounts sum;
  for (const allocator::Portion& portion : ToPortions(world, resources)) sum += portion.amounts;
  return sum;
}

// Back to free, and not offered to this framework again for a while.
void ReturnRefused(World& world, Framework& framework, Agent& agent, const std::string& role,
                   const Resources& resources, int64_t refuse_ms) {
  if (resources.empty()) return;
  if (MUTANT("decline-leaks")) return;
  ReturnOffered(world, agent, framework.index, role, resources);
  if (refuse_ms <= 0) return;
  if (MUTANT("refusal-ignored")) return;
  if (MUTANT("refusal-never-ends")) refuse_ms = int64_t{7} * 24 * 3600 * 1000;
  world.allocator.Refuse(framework.index, world.allocator.InternRole(role), agent.index,
                         AmountsOf(world, resources), world.now + refuse_ms);
}

// Whether an accept may use these offers together.
model::Outcome CheckOffers(World& world, const Framework& framework, const model::Accept& accept) {
  if (accept.offers.empty()) {
    return {model::Refusal::kInvalid, "accept names no offer; expected at least one"};
  }
  const Offer* first = nullptr;
  for (size_t i = 0; i < accept.offers.size(); ++i) {
    const model::OfferId id = accept.offers[i];
    const auto begin = accept.offers.begin();
    if (std::find(begin, begin + i, id) != begin + i && !MUTANT("offer-named-twice")) {
      return {model::Refusal::kInvalid, absl::StrCat("offer ", id.ToString(), " is named twice")};
    }
    const Offer* offer = world.offers.Find(id);
    if (offer == nullptr) {
      if (id.epoch == world.config.epoch) {
        REACHED("an accept crosses the end of its offer");
      } else {
        REACHED("an accept names an offer of an earlier leader");
      }
      return {model::Refusal::kStaleOffer,
              absl::StrCat("offer ", id.ToString(),
                           " is not outstanding: it was used, rescinded, "
                           "timed out, or made by an earlier leader; wait for new offers")};
    }
    if (offer->framework != framework.id()) {
      REACHED("an accept names an offer that was made to another framework");
      return {model::Refusal::kForeignOffer,
              absl::StrCat("offer ", id.ToString(), " was made to another framework")};
    }
    if (first == nullptr) first = offer;
    if (offer->agent != first->agent || offer->role != first->role) {
      REACHED("an accept names offers of several agents or roles");
      return {model::Refusal::kOffersDisagree,
              "the offers of one accept must be of one agent and one role"};
    }
  }
  return model::Outcome::Ok();
}

// Nothing of this accept can be launched: gives the offers back, and tells of every task.
void RefuseAccept(World& world, Framework& framework, uint64_t call_id, const model::Accept& accept,
                  const model::Outcome& why) {
  for (const model::OfferId& id : accept.offers) {
    const Offer* offer = world.offers.Find(id);
    if (offer != nullptr && offer->framework == framework.id()) GiveBack(world, id);
  }
  std::vector<model::CallResult::Item> items;
  if (accept.tasks.empty()) items.push_back({"", why, {}});
  for (const model::TaskSpec& spec : accept.tasks) {
    items.push_back({spec.id.value(), why, {}});
    // A status would be taken for one of the task that lives under this id.
    if (FindTask(framework, spec.id) != nullptr) {
      REACHED("an accept is refused that names the id of a task that lives");
      continue;
    }
    model::TaskStatus status;
    status.task = spec.id;
    status.state = model::TaskState::kDropped;
    status.reason = model::TaskReason::kInvalidOffer;
    status.source = model::StatusSource::kMaster;
    status.message = why.message;
    status.intent_id = spec.intent_id;
    status.time_unix_ms = world.unix_ms;
    world.Tell(framework, std::move(status));
  }
  world.Answer(framework, call_id, std::move(items));
}

// One task of an accept: launched out of `pool`, or refused with a status of its own.
model::CallResult::Item LaunchOne(World& world, Framework& framework, Agent& agent,
                                  const std::string& role, const model::TaskSpec& spec,
                                  Resources* pool) {
  model::Outcome outcome = ValidateTask(framework, spec, *pool);
  if (outcome.ok()) {
    pool->Subtract(spec.resources).IgnoreError();  // Contained, as was just checked.
    const model::AttemptId attempt = LaunchTask(world, framework, agent, role, spec);
    return {spec.id.value(), model::Outcome::Ok(), attempt};
  }
  if (outcome.refusal == model::Refusal::kNotEnough) {
    REACHED("a task does not fit into what is left of its offers");
  }
  if (outcome.refusal != model::Refusal::kDuplicateTask) {
    model::TaskStatus status;
    status.task = spec.id;
    status.agent = agent.id;
    status.state = model::TaskState::kError;
    status.reason = model::TaskReason::kInvalidTask;
    status.source = model::StatusSource::kMaster;
    status.message = outcome.message;
    status.intent_id = spec.intent_id;
    status.time_unix_ms = world.unix_ms;
    world.Tell(framework, std::move(status));
  }
  return {spec.id.value(), std::move(outcome), {}};
}

}  // namespace

Offer* Offers::Find(model::OfferId id) {
  auto it = by_id_.find(id);
  return it == by_id_.end() ? nullptr : &it->second;
}

Offer& Offers::Add(Offer offer) {
  const model::OfferId id = offer.id;
  return by_id_[id] = std::move(offer);
}

void MakeOffers(World& world) {
  if (MAYBE("offer in a later turn")) return;
  std::vector<allocator::Grant> grants;
  world.allocator.Allocate(world.now, &grants);
  if (grants.empty()) return;
  std::map<model::FrameworkId, model::Offers> batches;
  for (const allocator::Grant& grant : grants) {
    Framework& framework = world.frameworks.At(grant.framework);
    Agent& agent = world.agents.At(grant.agent);
    Resources taken = TakeForOffer(world, agent, grant);
    if (taken.empty()) {
      REACHED("nothing of a grant can be offered");
      world.allocator.GrantClosed(grant.framework);
      continue;
    }
    const uint64_t epoch = MUTANT("offers-without-epoch") ? 1 : world.config.epoch;
    Offer& offer = world.offers.Add({{epoch, ++world.last_offer},
                                     framework.id(),
                                     agent.id,
                                     world.allocator.RoleName(grant.role),
                                     std::move(taken),
                                     world.unix_ms});
    framework.offers.insert(offer.id);
    agent.offers.insert(offer.id);
    const Timers::Key timeout{TimerKind::kOffer, offer.id.n};
    world.timers.Set(timeout, world.now + world.config.offer_timeout_ms);
    if (MAYBE("take an offer back early")) world.timers.Set(timeout, world.now + 1);
    if (MUTANT("offer-never-expires")) world.timers.Cancel(timeout);
    world.Touch(offer);
    world.Touch(framework);
    batches[framework.id()].offers.push_back({offer.id, offer.role, agent.id, agent.info.facts,
                                              offer.resources, agent.resources_generation});
    if (MAYBE("send offers one by one")) {
      world.Tell(framework, std::move(batches[framework.id()]));
      batches.erase(framework.id());
    }
  }
  for (auto& [id, batch] : batches) world.Tell(*world.frameworks.Find(id), std::move(batch));
  world.touched.shares = true;
}

void OffersAccepted(World& world, Framework& framework, uint64_t call_id,
                    const model::Accept& accept) {
  model::Outcome outcome = CheckOffers(world, framework, accept);
  if (outcome.ok()) outcome = ValidateRefusal(accept.refuse_ms);
  if (!outcome.ok()) {
    RefuseAccept(world, framework, call_id, accept, outcome);
    return;
  }
  Resources pool;
  std::string role;
  Agent* agent = nullptr;
  for (const model::OfferId& id : accept.offers) {
    Offer offer = TakeOut(world, id);
    role = offer.role;
    agent = world.agents.Find(offer.agent);
    pool.Add(offer.resources).IgnoreError();  // Disjoint parts of one agent.
  }
  const Resources offered = pool;
  std::vector<model::CallResult::Item> items;
  for (const model::TaskSpec& spec : accept.tasks) {
    items.push_back(LaunchOne(world, framework, *agent, role, spec, &pool));
  }
  const allocator::RoleIndex role_index = world.allocator.InternRole(role);
  if (pool == offered) {
    REACHED("an accept launches nothing");
    world.allocator.DeclinedWhole(framework.index, role_index);
  } else {
    world.allocator.Accepted(framework.index, role_index);
  }
  ReturnRefused(world, framework, *agent, role, pool,
                accept.refuse_ms.value_or(limits::kRefusalDefaultMs));
  world.Answer(framework, call_id, std::move(items));
  world.touched.shares = true;
}

void OffersDeclined(World& world, Framework& framework, uint64_t call_id,
                    const model::Decline& decline) {
  if (model::Outcome o = ValidateRefusal(decline.refuse_ms); !o.ok()) {
    world.Answer(framework, call_id, std::move(o));
    return;
  }
  std::vector<model::CallResult::Item> items;
  for (const model::OfferId& id : decline.offers) {
    const Offer* found = world.offers.Find(id);
    if (found == nullptr || found->framework != framework.id()) {
      REACHED("a decline names an offer that is not outstanding");
      items.push_back(
          {id.ToString(),
           {found == nullptr ? model::Refusal::kStaleOffer : model::Refusal::kForeignOffer,
            "not an outstanding offer of this framework; nothing to decline"},
           {}});
      continue;
    }
    const Offer offer = TakeOut(world, id);
    world.allocator.DeclinedWhole(framework.index, world.allocator.InternRole(offer.role));
    ReturnRefused(world, framework, *world.agents.Find(offer.agent), offer.role, offer.resources,
                  decline.refuse_ms.value_or(limits::kRefusalDefaultMs));
    items.push_back({id.ToString(), model::Outcome::Ok(), {}});
  }
  world.Answer(framework, call_id, std::move(items));
  world.touched.shares = true;
}

void OfferTimedOut(World& world, uint64_t n) {
  const model::OfferId id{world.config.epoch, n};
  const Offer* offer = world.offers.Find(id);
  if (offer == nullptr) return;
  REACHED("an offer times out");
  const Offer taken = MUTANT("expired-offer-still-good") ? *offer : TakeOut(world, id);
  Framework& framework = *world.frameworks.Find(taken.framework);
  // Whoever does not answer is asked about other agents first.
  ReturnRefused(world, framework, *world.agents.Find(taken.agent), taken.role, taken.resources,
                limits::kRefusalDefaultMs);
  world.Tell(framework, model::Rescinded{{id}, "it was not answered within the offer timeout"});
}

void RescindAll(World& world, Agent& agent, const std::string& reason) {
  std::map<model::FrameworkId, model::Rescinded> told;
  while (!agent.offers.empty()) {
    const model::OfferId id = *agent.offers.begin();
    REACHED("an offer is rescinded");
    model::Rescinded& rescinded = told[world.offers.Find(id)->framework];
    rescinded.offers.push_back(id);
    rescinded.reason = reason;
    GiveBack(world, id);
  }
  for (auto& [id, rescinded] : told) {
    world.Tell(*world.frameworks.Find(id), std::move(rescinded));
  }
}

void RescindAll(World& world, Framework& framework, const std::string& reason) {
  if (framework.offers.empty()) return;
  model::Rescinded rescinded{{framework.offers.begin(), framework.offers.end()}, reason};
  DiscardAll(world, framework);
  world.Tell(framework, std::move(rescinded));
}

void DiscardAll(World& world, Framework& framework) {
  while (!framework.offers.empty()) GiveBack(world, *framework.offers.begin());
}

OfferView ViewOf(const World& world, const Offer& offer) {
  OfferView view;
  view.id = offer.id;
  view.framework = offer.framework;
  if (const Framework* f = world.frameworks.Find(offer.framework)) {
    view.framework_name = f->info.name;
  }
  view.role = offer.role;
  view.agent = offer.agent;
  if (const Agent* agent = world.agents.Find(offer.agent)) view.hostname = agent->name();
  view.resources = offer.resources;
  view.made_unix_ms = offer.made_unix_ms;
  return view;
}

}  // namespace proffer::master
