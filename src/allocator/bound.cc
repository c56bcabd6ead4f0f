// The bound on grants without demand.
#include "allocator/bound.h"

#include <algorithm>

#include "allocator/share.h"
#include "common/base/simulation.h"

namespace proffer::allocator {
namespace {

constexpr int64_t kWhole = int64_t{1} << 20;  // Parts of what is free.
constexpr int64_t kLeast = kWhole / 16;       // Four declined grants lead to the whole agent.

// Amounts are rounded up to something a person would write: 0.1 cpus, 1 MiB. Items are whole.
int64_t StepOf(const Kinds& kinds, size_t kind) {
  if (kind == kCpusKind) return 100;
  if (kind == kMemKind || kind == kDiskKind) return int64_t{1} << 20;
  if (kind == kPortsKind || (kinds.scalars() >> kind & 1u) != 0) return 1;
  return 1000;
}

int64_t DivideUp(int64_t value, int64_t numerator, int64_t denominator) {
  const int64_t down = MulDiv(value, numerator, denominator);
  const bool exact =
      static_cast<__int128>(down) * denominator == static_cast<__int128>(value) * numerator;
  return exact ? down : down + 1;
}

// How many parts of `free` bring what is held, `held`, to `fair` in the first kind to get there.
int64_t PartsToFair(const Books& books, int64_t fair, const Amounts& held, const Amounts& free) {
  const Amounts& total = books.agents.total();
  int64_t parts = kWhole;
  for (uint32_t kinds = books.kinds.scalars(); kinds != 0; kinds &= kinds - 1) {
    const auto k = static_cast<size_t>(__builtin_ctz(kinds));
    if (free.count[k] <= 0) continue;
    const int64_t room = MulDiv(total.count[k], fair, kShareUnit) - held.count[k];
    parts = std::min(parts, room <= 0 ? 0 : MulDiv(room, kWhole, free.count[k]));
  }
  return parts;
}

// How many parts of `free` contain, together with `reserved`, the minimum that takes the fewest.
// REQUIRES: all of it contains one.
int64_t PartsToMinimum(const Books& books, const Amounts& reserved, const Amounts& free) {
  int64_t fewest = books.options.minimum_allocatable.empty() ? 0 : kWhole;
  for (const Amounts& minimum : books.options.minimum_allocatable) {
    int64_t parts = 0;
    for (size_t k = 0; k < minimum.count.size(); ++k) {
      const int64_t need = minimum.count[k] - reserved.count[k];
      if (need <= 0) continue;
      parts =
          need > free.count[k] ? kWhole : std::max(parts, DivideUp(need, kWhole, free.count[k]));
    }
    fewest = std::min(fewest, parts);
  }
  return fewest;
}

}  // namespace

Amounts BoundedGrant(const Books& books, ClientIndex client, const Agent& agent,
                     bool reserved_only) {
  const Client& c = books.clients[client];
  Amounts scratch;
  Amounts grant;  // First what is reserved: of no use to those who may not have it.
  Amounts free;
  if (agent.buckets.size() > 1) {
    grant = books.agents.FreeFor(agent, c.role, books.roles, /*reserved_only=*/true, &scratch);
  }
  if (!reserved_only && !agent.buckets[0].in_debt) free = agent.buckets[0].free;
  if (!books.ContainsMinimum(grant + free)) return Amounts();

  const int64_t fair = books.roles.FairShare(c.role);
  int64_t parts = PartsToFair(books, fair, books.roles[c.role].own_held + grant, free);
  if (parts < kWhole) {
    parts = std::max({parts, kLeast, PartsToMinimum(books, grant, free)});
    if (c.doublings > 0) REACHED("grants grow because whole ones were declined");
    parts = std::min(kWhole, parts << std::min(c.doublings, 20));
  }
  for (size_t k = 0; k < free.count.size(); ++k) {
    int64_t count = free.count[k];
    if (parts < kWhole && count > 0) {
      const int64_t step = StepOf(books.kinds, k);
      const int64_t steps = (DivideUp(count, parts, kWhole) + step - 1) / step;
      count = std::min(count, steps * step);
    }
    grant.count[k] += count;
  }
  return grant;
}

}  // namespace proffer::allocator
