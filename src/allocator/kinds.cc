// Interning of resource names.
#include "allocator/kinds.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace proffer::allocator {

Kinds::Kinds() : names_{kCpus, kMem, kDisk, kGpus, kPorts} {
  for (int k = 0; k < size(); ++k) {
    if (k != kPortsKind) scalars_ |= 1u << k;
  }
}

int Kinds::Find(absl::string_view name) const {
  for (int k = 0; k < size(); ++k) {
    if (Name(k) == name) return k;
  }
  return -1;
}

absl::StatusOr<Amounts> Kinds::Intern(const Quantities& q) {
  int unknown = 0;
  for (const auto& [name, count] : q.items()) unknown += Find(name) < 0 ? 1 : 0;
  if (size() + unknown > limits::kResourceKinds) {
    return absl::ResourceExhaustedError(
        absl::StrCat("at most ", limits::kResourceKinds, " kinds of resource in a cluster; it has ",
                     absl::StrJoin(names_, ", "), ", and ", unknown, " more would be needed"));
  }
  Amounts amounts;
  for (const auto& [name, count] : q.items()) {
    int kind = Find(name);
    if (kind < 0) {
      kind = size();
      names_.push_back(name);
      scalars_ |= 1u << kind;
    }
    amounts.count[static_cast<size_t>(kind)] = count;
  }
  return amounts;
}

absl::StatusOr<bool> Kinds::MarkItems(absl::string_view name) {
  int kind = Find(name);
  if (kind < 0) {
    if (size() == limits::kResourceKinds) {
      return absl::ResourceExhaustedError(absl::StrCat("at most ", limits::kResourceKinds,
                                                       " kinds of resource in a cluster; \"", name,
                                                       "\" would be one more"));
    }
    kind = size();
    names_.push_back(std::string(name));
    return false;
  }
  const bool news = (scalars_ >> kind & 1u) != 0;
  scalars_ &= ~(1u << kind);
  return news;
}

Quantities Kinds::ToQuantities(const Amounts& amounts) const {
  Quantities q;
  for (int k = 0; k < size(); ++k) {
    const int64_t count = amounts.count[static_cast<size_t>(k)];
    if (count != 0) q.Set(Name(k), count);
  }
  return q;
}

}  // namespace proffer::allocator
