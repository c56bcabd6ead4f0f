// The algebra of Resources: sorted vectors, checked first, changed after.
#include "proffer/resources.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/values/resource.h"
#include "common/values/text.h"

namespace proffer {
namespace {

using values::CompareKind;
using values::Quoted;
using Items = std::vector<Resource>;

bool KindLess(const Resource& a, const Resource& b) { return CompareKind(a, b) < 0; }

struct Place {
  size_t at = 0;      // The first item that is not of a smaller kind.
  bool same = false;  // Whether it is of the kind wanted.
};

// Looks from `from` on. What is wanted is mostly near, because both sides are sorted and short.
Place Seek(const Items& items, size_t from, const Resource& wanted) {
  constexpr size_t kNear = 4;
  const size_t near = std::min(items.size(), from + kNear);
  for (; from < near; ++from) {
    const auto order = CompareKind(items[from], wanted);
    if (order >= 0) return {from, order == 0};
  }
  const auto it = std::lower_bound(items.begin() + from, items.end(), wanted, KindLess);
  return {static_cast<size_t>(it - items.begin()), it != items.end() && it->SameKind(wanted)};
}

// The first item of that name, or of a larger one.
size_t SeekName(const Items& items, absl::string_view name) {
  return std::lower_bound(items.begin(), items.end(), name,
                          [](const Resource& item, absl::string_view wanted) {
                            return absl::string_view(item.name) < wanted;
                          }) -
         items.begin();
}

// OK if `added` may join the equal kind `present`. True: into its value. False: beside it, as
// another copy of a shared volume.
absl::StatusOr<bool> JoinsValue(const Resource& present, const Resource& added) {
  if (!values::IsIndivisible(present)) {
    absl::Status status = values::CanAdd(present.name, present.value, added.value);
    if (!status.ok()) return status;
    return true;
  }
  if (present.shared && present.value == added.value) return false;
  return absl::AlreadyExistsError(absl::StrCat(
      present.name, ": expected a volume or mounted disk that is not there yet, found ",
      Quoted(added.ToString()), " beside ", Quoted(present.ToString()),
      "; only equal copies of a shared volume may be there more than once"));
}

// Appends items that are all of one kind as one, or as the copies of a shared volume.
absl::Status JoinKind(absl::Span<Resource> items, Items* joined) {
  Resource first = std::move(items[0]);
  std::vector<Range> ranges;
  const bool of_ranges = std::holds_alternative<Ranges>(first.value);
  if (of_ranges && items.size() > 1) ranges = std::get<Ranges>(first.value).ranges();
  for (Resource& item : items.subspan(1)) {
    if (of_ranges && std::holds_alternative<Ranges>(item.value)) {
      // All at once below: one by one would take quadratic time.
      const std::vector<Range>& more = std::get<Ranges>(item.value).ranges();
      ranges.insert(ranges.end(), more.begin(), more.end());
      continue;
    }
    absl::StatusOr<bool> joins = JoinsValue(first, item);
    if (!joins.ok()) return joins.status();
    if (*joins) {
      values::Add(&first.value, item.value);
    } else {
      joined->push_back(std::move(item));
    }
  }
  if (!ranges.empty()) {
    absl::StatusOr<Ranges> all = Ranges::Make(std::move(ranges));
    if (!all.ok()) {
      return absl::AlreadyExistsError(absl::StrCat(first.name, ": ", all.status().message()));
    }
    first.value = *std::move(all);
  }
  joined->push_back(std::move(first));
  return absl::OkStatus();
}

void EraseZeros(Items* items) {
  items->erase(std::remove_if(items->begin(), items->end(),
                              [](const Resource& item) { return values::IsZero(item.value); }),
               items->end());
}

// Amounts of one name, over all kinds, must have one form and fit an int64.
class NameTotal {
 public:
  absl::Status Add(const Resource& item) {
    if (first_ == nullptr || first_->name != item.name) {
      first_ = &item;
      sum_ = 0;
    }
    if (first_->value.index() != item.value.index()) {
      return values::CanAdd(item.name, first_->value, item.value);
    }
    if (__builtin_add_overflow(sum_, item.Count(), &sum_)) {
      constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
      return absl::OutOfRangeError(absl::StrCat(
          item.name, ": expected a sum of at most ", Quoted(PrintScalar(item.name, kMax)),
          ", found more with ", Quoted(item.ToString()), "; use smaller amounts"));
    }
    return absl::OkStatus();
  }

 private:
  const Resource* first_ = nullptr;
  int64_t sum_ = 0;
};

// What Contains and Subtract both need: the first item of `part` that is not there, and where
// it would be.
const Resource* FirstMissing(const Items& whole, const Items& part, Place* place) {
  size_t from = 0;
  for (const Resource& wanted : part) {
    *place = Seek(whole, from, wanted);
    if (!place->same) return &wanted;
    from = place->at;
    if (values::IsIndivisible(wanted)) {
      if (whole[from].value != wanted.value) return &wanted;
      ++from;  // Copies of shared volumes stand in a row; each is matched with one.
    } else if (!values::Contains(whole[from].value, wanted.value)) {
      return &wanted;
    }
  }
  return nullptr;
}

// Takes up to `count` out of an interchangeable item.
Resource Part(const Resource& item, int64_t count) {
  Resource part;
  part.name = item.name;
  part.reservations = item.reservations;
  if (std::holds_alternative<Scalar>(item.value)) {
    part.value = Scalar{count};
    return part;
  }
  const int64_t number = count / values::ItemCount(item.name);
  if (const auto* ranges = std::get_if<Ranges>(&item.value); ranges != nullptr) {
    part.value = ranges->TakeLowest(number);
  } else {
    const TextSet& set = std::get<TextSet>(item.value);
    part.value = TextSet(set.begin(), std::next(set.begin(), number));
  }
  return part;
}

}  // namespace

absl::StatusOr<Resources> Resources::Make(std::vector<Resource> items) {
  for (Resource& item : items) {
    if (absl::Status status = values::Validate(item); !status.ok()) return status;
    values::Normalise(&item);
  }
  EraseZeros(&items);
  std::stable_sort(items.begin(), items.end(), KindLess);
  Resources result;
  for (size_t i = 0; i < items.size();) {
    size_t end = i + 1;
    while (end < items.size() && items[end].SameKind(items[i])) ++end;
    absl::Status status = JoinKind(absl::MakeSpan(items).subspan(i, end - i), &result.items_);
    if (!status.ok()) return status;
    i = end;
  }
  NameTotal total;
  for (const Resource& item : result.items_) {
    if (absl::Status status = total.Add(item); !status.ok()) return status;
  }
  return result;
}

absl::Status Resources::Add(Resource resource) {
  absl::StatusOr<Resources> one = Make({std::move(resource)});
  if (!one.ok()) return one.status();
  return Add(*one);
}

absl::Status Resources::Add(const Resources& other) {
  if (&other == this) return Add(Resources(other));
  // Look first: nothing may have changed when something is refused.
  absl::InlinedVector<size_t, 8>
      joined;  // For each of other's items: with which of ours, or size().
  joined.reserve(other.items_.size());
  NameTotal total;
  Place place;
  for (size_t i = 0; i < other.items_.size(); ++i) {
    const Resource& added = other.items_[i];
    if (i == 0 || added.name != other.items_[i - 1].name) {
      for (size_t k = SeekName(items_, added.name); k < items_.size(); ++k) {
        if (items_[k].name != added.name) break;
        if (absl::Status status = total.Add(items_[k]); !status.ok()) return status;
      }
    }
    if (absl::Status status = total.Add(added); !status.ok()) return status;
    place = Seek(items_, place.at, added);
    joined.push_back(items_.size());
    if (!place.same) continue;
    absl::StatusOr<bool> joins = JoinsValue(items_[place.at], added);
    if (!joins.ok()) return joins.status();
    if (*joins) joined.back() = place.at;
  }
  const size_t before = items_.size();
  for (size_t i = 0; i < other.items_.size(); ++i) {
    if (joined[i] < before) {
      values::Add(&items_[joined[i]].value, other.items_[i].value);
    } else {
      items_.push_back(other.items_[i]);
    }
  }
  if (items_.size() > before) {
    std::inplace_merge(items_.begin(), items_.begin() + before, items_.end(), KindLess);
  }
  return absl::OkStatus();
}

absl::Status Resources::Subtract(const Resources& other) {
  Place place;
  if (const Resource* missing = FirstMissing(items_, other.items_, &place); missing != nullptr) {
    return absl::FailedPreconditionError(absl::StrCat(
        missing->name, ": expected something to take ", Quoted(missing->ToString()),
        " from, found ", place.same ? Quoted(items_[place.at].ToString()) : "nothing of that kind",
        "; take only what is there"));
  }
  if (&other == this) {
    items_.clear();
    return absl::OkStatus();
  }
  size_t from = 0;
  bool emptied = false;
  for (const Resource& taken : other.items_) {
    Resource& item = items_[Seek(items_, from, taken).at];
    from = &item - items_.data();
    if (values::IsIndivisible(taken)) {
      item.value = Scalar{0};
      ++from;
    } else {
      values::Subtract(&item.value, taken.value);
    }
    emptied = emptied || values::IsZero(item.value);
  }
  if (emptied) EraseZeros(&items_);
  return absl::OkStatus();
}

bool Resources::Contains(const Resources& other) const {
  Place place;
  return FirstMissing(items_, other.items_, &place) == nullptr;
}

Quantities Resources::ToQuantities() const {
  Quantities quantities;
  for (size_t i = 0; i < items_.size();) {
    const std::string& name = items_[i].name;
    int64_t sum = 0;  // Fits: Add and Make see to it.
    for (; i < items_.size() && items_[i].name == name; ++i) sum += items_[i].Count();
    quantities.Set(name, sum);
  }
  return quantities;
}

Resources Resources::AllocatableTo(absl::string_view role) const {
  Resources part;
  for (const Resource& item : items_) {
    if (item.reservations.empty() || IsSameOrDescendant(role, item.role())) {
      part.items_.push_back(item);
    }
  }
  return part;
}

Resources Resources::ReservedTo(absl::string_view role) const {
  Resources part;
  for (const Resource& item : items_) {
    if (item.role() == role) part.items_.push_back(item);
  }
  return part;
}

Resources Resources::Interchangeable() const {
  Resources part;
  for (const Resource& item : items_) {
    if (values::IsInterchangeable(item)) part.items_.push_back(item);
  }
  return part;
}

absl::StatusOr<Resources> Resources::Pick(const Quantities& amounts, absl::string_view role) const {
  return PickFrom(amounts, &role);
}

absl::StatusOr<Resources> Resources::Pick(const Quantities& amounts) const {
  return PickFrom(amounts, nullptr);
}

absl::StatusOr<Resources> Resources::PickFrom(const Quantities& amounts,
                                              const absl::string_view* role) const {
  Resources picked;
  for (const auto& [kind, count] : amounts.items()) {
    int64_t open = count;
    // Unreserved items come first in the canonical order.
    for (size_t i = SeekName(items_, kind); open > 0 && i < items_.size(); ++i) {
      const Resource& item = items_[i];
      if (item.name != kind) break;
      if (!values::IsInterchangeable(item) || (role != nullptr && item.role() != *role)) continue;
      if (!std::holds_alternative<Scalar>(item.value) && open % values::ItemCount(kind) != 0) {
        return values::Refusal(kind, "a whole number of items", PrintScalar(kind, count),
                               "they are not divisible");
      }
      const int64_t part = std::min(open, item.Count());
      picked.items_.push_back(Part(item, part));
      open -= part;
    }
    if (open > 0) {
      return absl::ResourceExhaustedError(
          absl::StrCat(kind, ": expected at least ", Quoted(PrintScalar(kind, count)),
                       role == nullptr ? "" : absl::StrCat(" of role ", Quoted(*role)), ", found ",
                       Quoted(PrintScalar(kind, count - open)), "; ask for less or wait for more"));
    }
  }
  return picked;
}

std::ostream& operator<<(std::ostream& os, const Resource& r) { return os << r.ToString(); }
std::ostream& operator<<(std::ostream& os, const Resources& r) { return os << r.ToString(); }

}  // namespace proffer
