// Exact bookkeeping of the agent's resources.
#include "agent/core/ledger.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "common/base/simulation.h"
#include "glog/logging.h"

namespace proffer::agent {
namespace {

Resources WithoutShared(const Resources& resources) {
  const auto shared = [](const Resource& r) { return r.shared; };
  if (std::none_of(resources.items().begin(), resources.items().end(), shared)) return resources;
  Resources kept;
  for (const Resource& item : resources.items()) {
    if (item.shared) continue;
    const absl::Status added = kept.Add(item);
    CHECK(added.ok()) << added;  // Part of a valid value.
  }
  return kept;
}

// `from` minus `taken` where the two overlap.
ResourceValue Minus(const ResourceValue& from, const ResourceValue& taken) {
  if (from.index() != taken.index()) return from;
  if (const auto* scalar = std::get_if<Scalar>(&from)) {
    return Scalar{std::max<int64_t>(0, scalar->count - std::get<Scalar>(taken).count)};
  }
  if (const auto* ranges = std::get_if<Ranges>(&from)) {
    Ranges left = *ranges;
    left.Subtract(std::get<Ranges>(taken));
    return left;
  }
  TextSet left = std::get<TextSet>(from);
  for (const std::string& item : std::get<TextSet>(taken)) left.erase(item);
  return left;
}

}  // namespace

Ledger::Ledger(Resources total) : total_(std::move(total)), free_(total_) {}

void Ledger::Take(const Resources& taken) {
  const Resources exclusive = WithoutShared(taken);
  const absl::Status added = used_.Add(exclusive);
  CHECK(added.ok()) << "the same resources were given to two tasks: " << added;
  if (!overcommitted_ && free_.Contains(exclusive)) {
    const absl::Status subtracted = free_.Subtract(exclusive);
    CHECK(subtracted.ok()) << subtracted;
  } else {
    Recount();
  }
}

void Ledger::Return(const Resources& returned) {
  const Resources exclusive = WithoutShared(returned);
  const absl::Status subtracted = used_.Subtract(exclusive);
  CHECK(subtracted.ok()) << "resources were returned that nobody has: " << subtracted;
  if (overcommitted_) {
    Recount();
  } else {
    const absl::Status added = free_.Add(exclusive);
    CHECK(added.ok()) << added;
  }
}

void Ledger::Recount() {
  free_ = Resources();
  for (const Resource& item : total_.items()) {
    Resource left = item;
    for (const Resource& taken : used_.items()) {
      if (taken.SameKind(item)) left.value = Minus(left.value, taken.value);
    }
    if (left.Count() == 0) continue;
    const absl::Status added = free_.Add(left);
    CHECK(added.ok()) << added;
  }
  overcommitted_ = !total_.Contains(used_);
  if (overcommitted_) REACHED("the tasks of an agent hold more than it has");
}

}  // namespace proffer::agent
