// The pass: who is looked at, who is served, and with what.
//
// A pair of client and agent is worth a look if the agent has more free since the last pass, or
// the client is newly hungry, or its refusal of the agent ended. For all other pairs the last
// pass found that nothing can be given, and what is free has only shrunk since.
#include "allocator/fill.h"

#include <algorithm>

#include "allocator/bound.h"
#include "common/base/simulation.h"
#include "glog/logging.h"

namespace proffer::allocator {

Fill::Fill(Books* books, Time now, std::vector<Grant>* grants)
    : books_(*books), now_(now), grants_(*grants), first_grant_(grants->size()), contest_(*books) {}

void Fill::Run() {
  std::vector<Refusals::Pair> ended;
  books_.refusals.Expire(now_, &ended);
  if (!ended.empty()) REACHED("a refusal expires");
  for (const Refusals::Pair& pair : ended) books_.Stir(pair.client, pair.agent);
  books_.LetCrumbsGo(now_);
  // More than one round only if a grant let crumbs go that others were kept from.
  while (books_.agents.any_changed() || !books_.stirred.empty()) Round();
}

void Fill::Round() {
  ++books_.passes;
  books_.RefreshShares();
  misfit_ids_.clear();
  misfits_.clear();
  crumbs_kept_ = false;
  looks_for_crumbs_ = 0;
  Gather();
  contest_.Start(members_);
  for (ClientIndex client; (client = contest_.Fairest()).valid();) {
    if (Serve(client)) {
      contest_.Served();
      if (NothingLeft()) break;
    } else {
      if (!crumbs_kept_) KeepCrumbs(client);
      contest_.Drop();
    }
  }
  for (ClientIndex client : stirred_) {
    if (!books_.clients.Exists(client)) continue;
    Client& c = books_.clients[client];
    for (Want& want : c.wants) want.fresh = false;
    c.again.Reset();
  }
}

// --- Who is looked at ---

void Fill::Gather() {
  const BitRow& open = books_.agents.open();
  books_.agents.TakeChanged(&changed_);
  stirred_.clear();
  stirred_.swap(books_.stirred);
  words_ = books_.agents.size() / BitRow::kBits + 1;
  first_word_ = books_.first_word % words_;
  open_from_ = 0;

  changed_agents_.clear();
  changed_words_.clear();
  for (size_t position = 0; position < words_; ++position) {
    const size_t word = WordAt(position);
    const uint64_t bits = changed_.Word(word) & open.Word(word);
    if (bits == 0) continue;
    changed_words_.push_back(static_cast<uint32_t>(position));
    BitRow::ForEachInWord(bits, static_cast<uint32_t>(word), [&](uint32_t a) {
      const AgentIndex agent(a);
      changed_agents_.push_back(agent);
      if (books_.refusals.AnyOn(agent)) {
        books_.refusals.Reassess(agent, books_.agents.AllFree(agent));
      }
    });
  }

  members_.Reset();
  for (ClientIndex client : stirred_) {
    if (books_.clients.Exists(client) && books_.clients[client].hungry && HasWork(client)) {
      members_.Set(client.value);
    }
  }
  only_few_ = members_.None() && changed_agents_.size() <= kFewAgents;
  if (changed_agents_.empty()) return;
  if (changed_agents_.size() <= kFewAgents) {
    GatherByAgent();
  } else {
    books_.clients.hungry().ForEach([&](uint32_t c) {
      if (!members_.Test(c) && HasWork(ClientIndex(c))) members_.Set(c);
    });
  }
}

// With few agents it pays to look closely: of a thousand hungry clients, mostly few can use one.
void Fill::GatherByAgent() {
  const BitRow& hungry = books_.clients.hungry();
  for (AgentIndex agent : changed_agents_) {
    const BitRow& forbidden = books_.refusals.forbidden_clients(agent);
    ClientIndex passed_over;  // The fairest for which it is too small: it may keep the crumbs.
    for (size_t word = 0; word < hungry.words(); ++word) {
      const uint64_t bits = hungry.Word(word) & ~forbidden.Word(word) & ~members_.Word(word);
      BitRow::ForEachInWord(bits, static_cast<uint32_t>(word), [&](uint32_t c) {
        const ClientIndex client(c);
        if (CouldUse(books_.clients[client], agent)) {
          members_.Set(c);
        } else if (MayKeepCrumbs(books_.clients[client]) &&
                   (!passed_over.valid() || books_.IsFairer(client, passed_over)) &&
                   CouldUseWhenEmpty(books_.clients[client], agent)) {
          passed_over = client;
        }
      });
    }
    if (passed_over.valid()) members_.Set(passed_over.value);
  }
}

uint64_t Fill::Candidates(const Client& client, bool fresh, size_t word) const {
  const uint64_t open = books_.agents.open().Word(word);
  return fresh ? open : open & (changed_.Word(word) | client.again.Word(word));
}

bool Fill::HasWork(ClientIndex client) const {
  const Client& c = books_.clients[client];
  const BitRow& forbidden = books_.refusals.forbidden_agents(client);
  for (const Want& want : c.wants) {
    if (want.unmet <= 0) continue;
    const bool everywhere = want.fresh || c.again.words() > 0;
    const size_t end = everywhere ? words_ : changed_words_.size();
    for (size_t i = 0; i < end; ++i) {
      const size_t word = WordAt(everywhere ? i : changed_words_[i]);
      if ((Candidates(c, want.fresh, word) & ~forbidden.Word(word) &
           books_.classes.Word(want.klass, word)) != 0) {
        return true;
      }
    }
  }
  return false;
}

bool Fill::CouldUse(const Client& client, AgentIndex agent) const {
  const Agent& a = books_.agents[agent];
  for (const Want& want : client.wants) {
    if (want.unmet <= 0 || !books_.classes.Holds(want.klass, agent)) continue;
    Amounts scratch;
    if (want.undeclared() ||
        books_.agents.FreeFor(a, client.role, books_.roles, /*reserved_only=*/false, &scratch)
            .Contains(want.shape)) {
      return true;
    }
  }
  return false;
}

// True if no agent that anybody came for has anything left. False says nothing.
bool Fill::NothingLeft() {
  const BitRow& open = books_.agents.open();
  if (only_few_) {
    return std::none_of(changed_agents_.begin(), changed_agents_.end(),
                        [&](AgentIndex agent) { return open.Test(agent.value); });
  }
  while (open_from_ < words_ && open.Word(WordAt(open_from_)) == 0) ++open_from_;
  return open_from_ == words_;
}

// --- Who is served ---

bool Fill::Serve(ClientIndex client) {
  Client& c = books_.clients[client];
  const bool at_cap = books_.AtCap(books_.clients.framework(c.framework));
  if (!c.hungry && !at_cap) return false;
  for (Want& want : c.wants) {
    if (want.unmet <= 0) continue;
    Step step;
    if (at_cap ? FindStepOnGranted(client, &want, &step) : FindStep(client, &want, &step)) {
      Give(client, &want, step);
      return true;
    }
  }
  return false;
}

bool Fill::FindStep(ClientIndex client, Want* want, Step* step) {
  const Client& c = books_.clients[client];
  const BitRow& open = books_.agents.open();
  const BitRow& forbidden = books_.refusals.forbidden_agents(client);
  if (want->pass != books_.passes) {
    want->pass = books_.passes;
    want->at = 0;
    want->tried = 0;
    want->misfits = MisfitRow(want->shape);
  }
  const bool everywhere = want->fresh || c.again.words() > 0;
  const size_t end = everywhere ? words_ : changed_words_.size();
  if (everywhere) {
    while (open_from_ < words_ && open.Word(WordAt(open_from_)) == 0) ++open_from_;
    if (want->at < open_from_) {
      want->at = static_cast<uint32_t>(open_from_);
      want->tried = 0;
    }
  }
  for (; want->at < end; ++want->at, want->tried = 0) {
    const size_t word = WordAt(everywhere ? want->at : changed_words_[want->at]);
    uint64_t bits = Candidates(c, want->fresh, word) & ~forbidden.Word(word) & ~want->tried &
                    books_.classes.Word(want->klass, word);
    if (want->misfits != kNone) bits &= ~misfits_[want->misfits].Word(word);
    for (; bits != 0; bits &= bits - 1) {
      const auto bit = static_cast<uint32_t>(__builtin_ctzll(bits));
      const AgentIndex agent(static_cast<uint32_t>(word) * BitRow::kBits + bit);
      if (Fits(client, *want, agent, step)) return true;
      want->tried |= uint64_t{1} << bit;
    }
  }
  return false;
}

// A framework at its cap may still have more of the agents that this call granted it.
bool Fill::FindStepOnGranted(ClientIndex client, Want* want, Step* step) {
  if (want->undeclared() || client.value >= last_of_client_.size()) return false;
  for (uint32_t g = last_of_client_[client.value]; g != kNone; g = made_[g].before_of_client) {
    const AgentIndex agent = grants_[first_grant_ + g].agent;
    if (!books_.classes.Holds(want->klass, agent)) continue;
    if (Fits(client, *want, agent, step)) {
      REACHED("a framework at its cap gets more of an agent that it was granted");
      return true;
    }
  }
  return false;
}

// How many shapes one step grants. One, but for shapes of which an agent holds thousands: what a
// framework asks for must not decide how long a pass takes, so a step is at least a thousandth of
// the agent, and fairness is exact to that.
int64_t Fill::StepShapes(const Want& want, const Agent& agent, const Amounts& free) {
  int64_t held = want.unmet;
  int64_t most = want.unmet;
  for (size_t k = 0; k < want.shape.count.size(); ++k) {
    const int64_t one = want.shape.count[k];
    if (one == 0) continue;
    int64_t total = 0;
    for (const Bucket& bucket : agent.buckets) total += bucket.total.count[k];
    // Nearly always decided here, without a division.
    if (total >> kStepShift < one) return 1;
    held = std::min(held, total / one);
    most = std::min(most, free.count[k] / one);
  }
  return std::max<int64_t>(1, std::min(held >> kStepShift, most));
}

bool Fill::Fits(ClientIndex client, const Want& want, AgentIndex agent, Step* step) {
  const Client& c = books_.clients[client];
  const Agent& a = books_.agents[agent];
  const bool kept = books_.CrumbsKeptFrom(client, a, now_);
  if (kept) REACHED("crumbs are kept from a client");
  const bool granted = FindGrant(client, agent) != kNone;
  step->agent = agent;
  if (want.undeclared()) {
    if (granted) return false;  // One bounded grant of an agent in a call.
    step->shapes = 1;
    step->amounts = BoundedGrant(books_, client, a, kept);
    if (step->amounts.IsZero()) return false;
    const Amounts* refused = books_.refusals.Find(agent, client, now_);
    return refused == nullptr || !refused->Contains(step->amounts);
  }
  Amounts scratch;
  const Amounts& free = books_.agents.FreeFor(a, c.role, books_.roles, kept, &scratch);
  if (!free.Contains(want.shape)) {
    if (!kept && a.buckets.size() == 1 && want.pass == books_.passes && want.misfits != kNone) {
      misfits_[want.misfits].Set(agent.value);
    }
    return false;
  }
  step->shapes = StepShapes(want, a, free);
  step->amounts = want.shape;
  if (step->shapes > 1) {
    for (int64_t& count : step->amounts.count) count *= step->shapes;
  }
  const Amounts* refused = granted ? nullptr : books_.refusals.Find(agent, client, now_);
  if (refused == nullptr) return true;
  // As many shapes at once as make the grant larger than what was refused.
  step->amounts = want.shape;
  int64_t needed = want.unmet;
  int64_t most = want.unmet;
  for (size_t k = 0; k < want.shape.count.size(); ++k) {
    const int64_t one = want.shape.count[k];
    if (one == 0) continue;
    if (refused->count[k] / one < needed) needed = refused->count[k] / one + 1;
    most = std::min(most, free.count[k] / one);
  }
  if (needed > most) return false;
  REACHED("several shapes together are more than what was refused");
  for (int64_t& count : step->amounts.count) count *= needed;
  step->shapes = needed;
  return !refused->Contains(step->amounts);
}

void Fill::Give(ClientIndex client, Want* want, const Step& step) {
  Client& c = books_.clients[client];
  Framework& framework = books_.clients.framework(c.framework);
  uint32_t g = FindGrant(client, step.agent);
  if (g == kNone) {
    g = static_cast<uint32_t>(made_.size());
    if (step.agent.value >= last_on_agent_.size()) {
      last_on_agent_.resize(books_.agents.size(), kNone);
    }
    if (client.value >= last_of_client_.size()) {
      last_of_client_.resize(books_.clients.size(), kNone);
    }
    made_.push_back(Made{client, last_on_agent_[step.agent.value], last_of_client_[client.value]});
    last_on_agent_[step.agent.value] = g;
    last_of_client_[client.value] = g;
    Grant& grant = grants_.emplace_back();
    grant.framework = c.framework;
    grant.role = c.role;
    grant.agent = step.agent;
    ++framework.outstanding;
  }

  // What is reserved is used first, from the role's own upwards; only the rest is unreserved.
  Portions& portions = grants_[first_grant_ + g].portions;
  Amounts left = step.amounts;
  for (RoleIndex role = c.role; role.valid() && !left.IsZero(); role = books_.roles[role].parent) {
    for (const Bucket& bucket : books_.agents[step.agent].buckets) {
      if (bucket.role != role || bucket.in_debt) continue;
      Amounts part;
      for (size_t k = 0; k < part.count.size(); ++k) {
        part.count[k] = std::min(bucket.free.count[k], left.count[k]);
      }
      if (part.IsZero()) break;
      left -= part;
      books_.Take(client, step.agent, role, part);
      auto portion = std::find_if(portions.begin(), portions.end(),
                                  [&](const Portion& p) { return p.reserved_to == role; });
      if (portion == portions.end()) {
        portions.push_back(Portion{role, part});
      } else {
        portion->amounts += part;
      }
      break;
    }
  }
  CHECK(left.IsZero()) << "granted more of agent " << step.agent << " than is free";

  c.passed_over_since = Time::Never();
  if (books_.agents[step.agent].crumbs_kept_for == client) books_.LetCrumbsGo(step.agent);
  if (!want->undeclared()) {
    want->unmet -= step.shapes;
    framework.demands[static_cast<size_t>(want->demand)].count -= step.shapes;
  }
  if (want->unmet == 0 || books_.AtCap(framework)) books_.UpdateHungry(c.framework);
}

// --- Crumbs ---

bool Fill::MayKeepCrumbs(const Client& client) const {
  return books_.options.crumb_hold_ms > 0 && client.hungry && !client.wants.empty() &&
         !client.wants[0].undeclared() &&
         (client.passed_over_since.IsNever() ||
          now_ < client.passed_over_since + books_.options.crumb_hold_ms);
}

bool Fill::CouldUseWhenEmpty(const Client& client, AgentIndex agent) const {
  const Amounts total = books_.agents.TotalFor(books_.agents[agent], client.role, books_.roles);
  return std::any_of(client.wants.begin(), client.wants.end(), [&](const Want& want) {
    return want.unmet > 0 && books_.classes.Holds(want.klass, agent) && total.Contains(want.shape);
  });
}

// Only the fairest client that goes away empty keeps crumbs, and never on more agents than it
// has shapes to place: otherwise one large task would stop a whole cluster for ten seconds.
void Fill::KeepCrumbs(ClientIndex client) {
  Client& c = books_.clients[client];
  if (!MayKeepCrumbs(c)) return;
  int64_t unmet = 0;
  bool fresh = false;
  for (const Want& want : c.wants) {
    unmet = std::min(kCrumbsPerClient, unmet + std::min(want.unmet, kCrumbsPerClient));
    fresh = fresh || (want.fresh && want.unmet > 0);
  }
  for (AgentIndex agent : books_.crumbs) {
    if (books_.agents[agent].crumbs_kept_for == client) --unmet;
  }
  const BitRow& forbidden = books_.refusals.forbidden_agents(client);
  const bool everywhere = fresh || c.again.words() > 0;
  const size_t end = everywhere ? words_ : changed_words_.size();
  const auto most_looks = 2 * static_cast<int64_t>(books_.agents.size());
  for (size_t i = 0; i < end && unmet > 0 && looks_for_crumbs_ < most_looks; ++i) {
    const size_t word = WordAt(everywhere ? i : changed_words_[i]);
    const uint64_t bits = Candidates(c, fresh, word) & ~forbidden.Word(word);
    BitRow::ForEachInWord(bits, static_cast<uint32_t>(word), [&](uint32_t a) {
      const AgentIndex agent(a);
      if (unmet <= 0 || ++looks_for_crumbs_ > most_looks) return;
      const Agent& kept = books_.agents[agent];
      if (kept.crumbs_kept_for == client || books_.CrumbsKeptFrom(client, kept, now_)) return;
      if (kept.buckets[0].in_debt || kept.buckets[0].free.IsZero()) return;
      if (books_.refusals.Find(agent, client, now_) != nullptr) return;
      if (!CouldUseWhenEmpty(c, agent)) return;
      if (c.passed_over_since.IsNever()) c.passed_over_since = now_;
      books_.KeepCrumbs(agent, client, c.passed_over_since + books_.options.crumb_hold_ms);
      REACHED("crumbs are kept for a client");
      crumbs_kept_ = true;
      --unmet;
    });
  }
}

// --- Rows and chains ---

uint32_t Fill::FindGrant(ClientIndex client, AgentIndex agent) const {
  if (agent.value >= last_on_agent_.size()) return kNone;
  uint32_t g = last_on_agent_[agent.value];
  while (g != kNone && made_[g].client != client) g = made_[g].before_on_agent;
  return g;
}

uint32_t Fill::MisfitRow(const Amounts& shape) {
  const auto [found, is_new] =
      misfit_ids_.try_emplace(shape, static_cast<uint32_t>(misfits_.size()));
  if (is_new) {
    if (misfits_.size() >= kMisfitRows) {
      misfit_ids_.erase(found);
      return kNone;
    }
    misfits_.emplace_back();
  }
  return found->second;
}

}  // namespace proffer::allocator
