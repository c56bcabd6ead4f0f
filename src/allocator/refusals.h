// Refusals: which client does not want how much of which agent until when.
//
// Five million of them are a normal sight (half of 10,000 agents x 1,000 frameworks), and every
// pass asks about them; so there are three forms of the same truth:
//   - per agent a table sorted by client, 12 bytes an entry, with equal amounts told once;
//     (and shared between copies of the allocator until one of them changes it);
//   - a calendar of deadlines, 8 bytes an entry, cleaned of what is stale each time it has doubled;
//   - `forbidden`: bits over agents and over clients, set where the refused amounts contain all
//     that the agent has free, so that no grant at all could be made. They are brought up to date
//     (Reassess) when an agent has more free; while it has less they may be clear although they
//     could be set. A clear bit therefore says nothing, and Find is asked.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "allocator/agents.h"
#include "allocator/amounts.h"
#include "allocator/amounts_pool.h"
#include "allocator/bit_row.h"
#include "allocator/cow.h"
#include "common/base/time.h"

namespace proffer::allocator {

class Refusals {
 public:
  // Deadlines are kept as 32 bits of milliseconds: later than this, a refusal ends early.
  static constexpr int64_t kLongestMs = int64_t{1} << 31;  // 24 days.

  struct Pair {
    AgentIndex agent;
    ClientIndex client;
  };

  // Replaces a former refusal. `all_free` is what the agent has free at most for anyone.
  void Refuse(AgentIndex agent, ClientIndex client, const Amounts& refused, Time until,
              const Amounts& all_free);
  void ForgetClient(ClientIndex client);
  void ForgetAgent(AgentIndex agent);
  // Removes what has ended; appends the pairs to `ended`.
  void Expire(Time now, std::vector<Pair>* ended);
  // Works out which refusals of the agent forbid everything.
  void Reassess(AgentIndex agent, const Amounts& all_free);

  // The amounts refused, or null if there is no refusal that lives after `now`.
  const Amounts* Find(AgentIndex agent, ClientIndex client, Time now) const;
  bool AnyOf(ClientIndex client) const;
  bool AnyOn(AgentIndex agent) const;
  const BitRow& forbidden_agents(ClientIndex client) const;
  const BitRow& forbidden_clients(AgentIndex agent) const;

  int64_t live() const { return live_; }
  Time NextDeadline() const;  // At or before the first end of a refusal; Never if there is none.
  int64_t CalendarEntries() const { return calendar_entries_; }  // Stale ones too.
  void CheckInvariants() const;

 private:
  struct Entry {
    uint32_t client;
    uint32_t amounts;  // In the pool.
    uint32_t until;    // Milliseconds modulo 2^32.
  };
  // The refusals of one agent that name the same amounts.
  struct Group {
    uint32_t amounts;
    uint32_t entries;
    bool forbids_all;
  };
  struct OfAgent {
    std::vector<Entry> entries;  // By client.
    std::vector<Group> groups;
    BitRow forbidden;  // Clients.
  };
  struct OfClient {
    BitRow refused;    // Agents with an entry.
    BitRow forbidden;  // Agents.
    int64_t count = 0;
  };
  // A deadline: agent, and client with the milliseconds into the slot in the lowest 8 bits.
  struct Due {
    uint32_t agent;
    uint32_t client_and_offset;
  };
  struct Slot {
    int64_t earliest_ms = INT64_MAX;
    std::vector<Due> dues;
  };
  static constexpr int kSlotBits = 8;  // A slot of the calendar is 256 ms.

  OfAgent& Of(AgentIndex agent);
  OfClient& Of(ClientIndex client);
  static Group& GroupOf(OfAgent* of, uint32_t amounts);
  void Forbid(AgentIndex agent, ClientIndex client, bool forbidden, OfAgent* of);
  // Removes an entry from its group, not from the table.
  void Drop(AgentIndex agent, OfAgent* of, const Entry& entry);
  void Enter(AgentIndex agent, ClientIndex client, Time until);
  bool IsStale(int64_t slot, const Due& due) const;
  void SweepCalendar();

  AmountsPool pool_;
  std::vector<Cow<OfAgent>> agents_;
  std::vector<OfClient> clients_;
  std::map<int64_t, Cow<Slot>> calendar_;  // By deadline / 256 ms.
  int64_t calendar_entries_ = 0;
  int64_t sweep_at_ = 1024;
  int64_t live_ = 0;
  Time now_;  // Of the last Expire.
};

}  // namespace proffer::allocator
