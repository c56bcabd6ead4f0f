// Tables, calendar and bit rows of refusals, kept in step.
#include "allocator/refusals.h"

#include <algorithm>

#include "common/base/simulation.h"
#include "glog/logging.h"

namespace proffer::allocator {
namespace {

constexpr uint32_t kMaxClients = 1u << 24;

const BitRow& NoBits() {
  static const BitRow* const none = new BitRow();
  return *none;
}

template <typename Entries>
auto Seek(Entries& entries, ClientIndex client) {
  return std::lower_bound(entries.begin(), entries.end(), client.value,
                          [](const auto& entry, uint32_t c) { return entry.client < c; });
}

uint32_t Low(int64_t ms) { return static_cast<uint32_t>(ms); }

}  // namespace

Refusals::OfAgent& Refusals::Of(AgentIndex agent) {
  if (agent.value >= agents_.size()) agents_.resize(agent.value + 1);
  return agents_[agent.value].Own();
}

Refusals::OfClient& Refusals::Of(ClientIndex client) {
  if (client.value >= clients_.size()) clients_.resize(client.value + 1);
  return clients_[client.value];
}

Refusals::Group& Refusals::GroupOf(OfAgent* of, uint32_t amounts) {
  for (Group& group : of->groups) {
    if (group.amounts == amounts) return group;
  }
  of->groups.push_back(Group{amounts, 0, false});
  return of->groups.back();
}

void Refusals::Forbid(AgentIndex agent, ClientIndex client, bool forbidden, OfAgent* of) {
  of->forbidden.Put(client.value, forbidden);
  clients_[client.value].forbidden.Put(agent.value, forbidden);
}

void Refusals::Drop(AgentIndex agent, OfAgent* of, const Entry& entry) {
  const ClientIndex client(entry.client);
  Forbid(agent, client, false, of);
  Group& group = GroupOf(of, entry.amounts);
  if (--group.entries == 0) {
    group = of->groups.back();
    of->groups.pop_back();
  }
  pool_.Release(entry.amounts);
  OfClient& of_client = clients_[client.value];
  of_client.refused.Clear(agent.value);
  --of_client.count;
  --live_;
}

void Refusals::Refuse(AgentIndex agent, ClientIndex client, const Amounts& refused, Time until,
                      const Amounts& all_free) {
  CHECK_LT(client.value, kMaxClients);
  until = std::min(until, now_ + kLongestMs);
  OfAgent& of = Of(agent);
  OfClient& of_client = Of(client);
  const uint32_t amounts = pool_.Acquire(refused);
  auto place = Seek(of.entries, client);
  if (place != of.entries.end() && place->client == client.value) {
    Drop(agent, &of, *place);
  } else {
    place = of.entries.insert(place, Entry());
  }
  *place = Entry{client.value, amounts, Low(until.ms)};
  Group& group = GroupOf(&of, amounts);
  if (group.entries++ == 0) group.forbids_all = refused.Contains(all_free);
  of_client.refused.Set(agent.value);
  ++of_client.count;
  ++live_;
  if (group.forbids_all) Forbid(agent, client, true, &of);
  Enter(agent, client, until);
}

void Refusals::ForgetClient(ClientIndex client) {
  if (!AnyOf(client)) return;
  OfClient& of_client = clients_[client.value];
  const BitRow refused = of_client.refused;
  refused.ForEach([&](uint32_t a) {
    const AgentIndex agent(a);
    OfAgent& of = agents_[a].Own();
    const auto place = Seek(of.entries, client);
    Drop(agent, &of, *place);
    of.entries.erase(place);
  });
  of_client = OfClient();
}

void Refusals::ForgetAgent(AgentIndex agent) {
  if (!AnyOn(agent)) return;
  OfAgent& of = agents_[agent.value].Own();
  for (const Entry& entry : of.entries) Drop(agent, &of, entry);
  agents_[agent.value].Reset();
}

void Refusals::Enter(AgentIndex agent, ClientIndex client, Time until) {
  if (++calendar_entries_ > sweep_at_) SweepCalendar();
  const int64_t slot = until.ms >> kSlotBits;
  const auto offset = static_cast<uint32_t>(until.ms - (slot << kSlotBits));
  Slot& dues = calendar_[slot].Own();
  dues.earliest_ms = std::min(dues.earliest_ms, until.ms);
  dues.dues.push_back(Due{agent.value, client.value << kSlotBits | offset});
}

bool Refusals::IsStale(int64_t slot, const Due& due) const {
  const ClientIndex client(due.client_and_offset >> kSlotBits);
  const auto& entries = agents_[due.agent]->entries;
  const auto place = Seek(entries, client);
  if (place == entries.end() || place->client != client.value) return true;
  const int64_t offset = due.client_and_offset & ((1u << kSlotBits) - 1);
  return place->until != Low((slot << kSlotBits) + offset);
}

void Refusals::SweepCalendar() {
  calendar_entries_ = 1;  // The one being entered.
  for (auto slot = calendar_.begin(); slot != calendar_.end();) {
    auto& dues = slot->second.Own().dues;
    dues.erase(std::remove_if(dues.begin(), dues.end(),
                              [&](const Due& due) { return IsStale(slot->first, due); }),
               dues.end());
    dues.shrink_to_fit();
    calendar_entries_ += static_cast<int64_t>(dues.size());
    slot = dues.empty() ? calendar_.erase(slot) : std::next(slot);
  }
  sweep_at_ = 2 * calendar_entries_ + 1024;
}

void Refusals::Expire(Time now, std::vector<Pair>* ended) {
  now_ = std::max(now_, now);
  while (!calendar_.empty() && calendar_.begin()->second->earliest_ms <= now.ms) {
    const int64_t slot = calendar_.begin()->first;
    Slot& dues = calendar_.begin()->second.Own();
    std::vector<Due> later;
    int64_t earliest_ms = INT64_MAX;
    for (const Due& due : dues.dues) {
      const int64_t until_ms =
          (slot << kSlotBits) + (due.client_and_offset & ((1u << kSlotBits) - 1));
      if (until_ms > now.ms) {
        later.push_back(due);
        earliest_ms = std::min(earliest_ms, until_ms);
        continue;
      }
      --calendar_entries_;
      if (IsStale(slot, due)) continue;
      const Pair pair{AgentIndex(due.agent), ClientIndex(due.client_and_offset >> kSlotBits)};
      OfAgent& of = agents_[due.agent].Own();
      const auto place = Seek(of.entries, pair.client);
      Drop(pair.agent, &of, *place);
      of.entries.erase(place);
      ended->push_back(pair);
    }
    if (later.empty()) {
      calendar_.erase(calendar_.begin());
    } else {
      dues.dues.swap(later);
      dues.earliest_ms = earliest_ms;
    }
  }
}

void Refusals::Reassess(AgentIndex agent, const Amounts& all_free) {
  if (!AnyOn(agent)) return;
  for (size_t g = 0; g < agents_[agent.value]->groups.size(); ++g) {
    const Group& group = agents_[agent.value]->groups[g];
    const bool forbids_all = pool_[group.amounts].Contains(all_free);
    if (forbids_all == group.forbids_all) continue;
    if (!forbids_all) REACHED("freed resources are more than what was refused");
    OfAgent& of = agents_[agent.value].Own();
    of.groups[g].forbids_all = forbids_all;
    for (const Entry& entry : of.entries) {
      if (entry.amounts == of.groups[g].amounts) {
        Forbid(agent, ClientIndex(entry.client), forbids_all, &of);
      }
    }
  }
}

const Amounts* Refusals::Find(AgentIndex agent, ClientIndex client, Time now) const {
  if (!AnyOn(agent)) return nullptr;
  const auto& entries = agents_[agent.value]->entries;
  const auto place = Seek(entries, client);
  if (place == entries.end() || place->client != client.value) return nullptr;
  const bool ended = static_cast<int32_t>(place->until - Low(now.ms)) <= 0;
  return ended ? nullptr : &pool_[place->amounts];
}

bool Refusals::AnyOf(ClientIndex client) const {
  return client.value < clients_.size() && clients_[client.value].count > 0;
}

bool Refusals::AnyOn(AgentIndex agent) const {
  return agent.value < agents_.size() && !agents_[agent.value]->entries.empty();
}

const BitRow& Refusals::forbidden_agents(ClientIndex client) const {
  return client.value < clients_.size() ? clients_[client.value].forbidden : NoBits();
}

const BitRow& Refusals::forbidden_clients(AgentIndex agent) const {
  return agent.value < agents_.size() ? agents_[agent.value]->forbidden : NoBits();
}

Time Refusals::NextDeadline() const {
  return calendar_.empty() ? Time::Never() : Time{calendar_.begin()->second->earliest_ms};
}

void Refusals::CheckInvariants() const {
  int64_t live = 0;
  std::vector<int64_t> of_clients(clients_.size(), 0);
  for (uint32_t a = 0; a < agents_.size(); ++a) {
    const OfAgent& of = *agents_[a];
    std::vector<uint32_t> in_groups(of.groups.size(), 0);
    uint32_t forbidden = 0;
    for (size_t i = 0; i < of.entries.size(); ++i) {
      const Entry& entry = of.entries[i];
      CHECK(i == 0 || of.entries[i - 1].client < entry.client) << "refusals out of order";
      const OfClient& of_client = clients_[entry.client];
      CHECK(of_client.refused.Test(a));
      ++of_clients[entry.client];
      size_t g = 0;
      while (g < of.groups.size() && of.groups[g].amounts != entry.amounts) ++g;
      CHECK_LT(g, of.groups.size()) << "a refusal without its group";
      ++in_groups[g];
      CHECK_EQ(of.forbidden.Test(entry.client), of.groups[g].forbids_all);
      CHECK_EQ(of_client.forbidden.Test(a), of.groups[g].forbids_all);
      forbidden += of.groups[g].forbids_all ? 1 : 0;
    }
    CHECK_EQ(of.forbidden.Count(), forbidden) << "a client forbidden without a refusal";
    for (size_t g = 0; g < of.groups.size(); ++g) CHECK_EQ(in_groups[g], of.groups[g].entries);
    live += static_cast<int64_t>(of.entries.size());
  }
  CHECK_EQ(live, live_);
  for (size_t c = 0; c < clients_.size(); ++c) {
    CHECK_EQ(clients_[c].count, of_clients[c]);
    CHECK_EQ(int64_t{clients_[c].refused.Count()}, of_clients[c]);
  }
  int64_t entries = 0;
  int64_t good = 0;
  for (const auto& [slot, dues] : calendar_) {
    entries += static_cast<int64_t>(dues->dues.size());
    for (const Due& due : dues->dues) good += IsStale(slot, due) ? 0 : 1;
  }
  CHECK_EQ(entries, calendar_entries_);
  CHECK_GE(good, live_) << "a refusal that would never end";
}

}  // namespace proffer::allocator
