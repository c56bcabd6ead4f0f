// Amounts of named kinds: reading, printing, vectors of them.
#include "proffer/quantity.h"

#include <algorithm>
#include <array>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/values/text.h"
#include "proffer/resources.h"

namespace proffer {
namespace {

using values::Decimal;
using values::Quoted;
using values::Refusal;

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

struct ByteUnit {
  const char* suffix;
  int64_t bytes;
};
// In the order in which the printer prefers them among equally short forms.
constexpr std::array<ByteUnit, 9> kByteUnits = {{{"TiB", int64_t{1} << 40},
                                                 {"GiB", int64_t{1} << 30},
                                                 {"MiB", int64_t{1} << 20},
                                                 {"KiB", int64_t{1} << 10},
                                                 {"TB", 1'000'000'000'000},
                                                 {"GB", 1'000'000'000},
                                                 {"MB", 1'000'000},
                                                 {"kB", 1'000},
                                                 {"B", 1}}};

absl::string_view Expectation(Unit unit) {
  switch (unit) {
    case Unit::kThousandths:
      return "a number with at most 3 decimals like \"1.5\"";
    case Unit::kBytes:
      return "a number with a unit (B, KiB, MiB, GiB, TiB, kB, MB, GB, TB) like \"512MiB\"";
    case Unit::kWhole:
      return "a whole number like \"2\"";
  }
  return "";
}

// What to write instead of "512M" or "512mb".
std::string UnitAdvice(absl::string_view number, absl::string_view suffix) {
  const char letter = absl::ascii_toupper(static_cast<unsigned char>(suffix[0]));
  if (letter != 'K' && letter != 'M' && letter != 'G' && letter != 'T') {
    return absl::StrCat(Quoted(suffix), " is not one of these units");
  }
  const absl::string_view decimal_letter = letter == 'K' ? "k" : absl::string_view(&letter, 1);
  return absl::StrCat("write ", Quoted(absl::StrCat(number, std::string(1, letter), "iB")), " or ",
                      Quoted(absl::StrCat(number, decimal_letter, "B")));
}

std::string FaultAdvice(absl::string_view kind, Decimal::Fault fault) {
  switch (fault) {
    case Decimal::Fault::kNegative:
      return "an amount is never negative";
    case Decimal::Fault::kTooManyDecimals:
      return "leave away what is finer than a thousandth";
    case Decimal::Fault::kTooLarge:
      return absl::StrCat("the largest is ", Quoted(PrintScalar(kind, kMax)));
    default:
      return "write digits, with a decimal point if needed";
  }
}

// Both in order of name; the position of `kind` or where it would be.
template <typename Items>
auto Position(Items& items, absl::string_view kind) {
  return std::lower_bound(items.begin(), items.end(), kind,
                          [](const auto& item, absl::string_view name) {
                            return absl::string_view(item.first) < name;
                          });
}

void EraseZeros(std::vector<std::pair<std::string, int64_t>>* items) {
  items->erase(std::remove_if(items->begin(), items->end(),
                              [](const auto& item) { return item.second == 0; }),
               items->end());
}

}  // namespace

Unit UnitOf(absl::string_view kind) {
  if (kind == kMem || kind == kDisk) return Unit::kBytes;
  if (kind == kGpus || kind == kPorts) return Unit::kWhole;
  return Unit::kThousandths;
}

absl::StatusOr<int64_t> ParseScalar(absl::string_view kind, absl::string_view text) {
  const Unit unit = UnitOf(kind);
  const auto refuse = [&](absl::string_view advice) {
    return Refusal(kind, Expectation(unit), text, advice);
  };
  const Decimal decimal = values::ReadDecimal(text);
  if (decimal.fault != Decimal::Fault::kNone) return refuse(FaultAdvice(kind, decimal.fault));

  const absl::string_view number = text.substr(0, decimal.length);
  const absl::string_view suffix = text.substr(decimal.length);
  absl::uint128 count = decimal.thousandths;
  if (unit == Unit::kBytes) {
    int64_t bytes = 0;
    if (suffix.empty()) {
      if (decimal.thousandths != 0) {
        return refuse(absl::StrCat("write ", Quoted(absl::StrCat(number, "MiB")),
                                   " if megabytes were meant"));
      }
    } else {
      for (const ByteUnit& candidate : kByteUnits) {
        if (suffix == candidate.suffix) bytes = candidate.bytes;
      }
      if (bytes == 0) return refuse(UnitAdvice(number, suffix));
    }
    count *= static_cast<uint64_t>(bytes);
    if (count % 1000 != 0) return refuse("that is not a whole number of bytes");
    count /= 1000;
  } else {
    if (!suffix.empty()) {
      return refuse(absl::StrCat("write the number alone, without ", Quoted(suffix)));
    }
    if (unit == Unit::kWhole) {
      if (count % 1000 != 0) return refuse(absl::StrCat(kind, " are only given out whole"));
      count /= 1000;
    }
  }
  if (count > static_cast<uint64_t>(kMax)) {
    return refuse(FaultAdvice(kind, Decimal::Fault::kTooLarge));
  }
  return static_cast<int64_t>(count);
}

std::string PrintScalar(absl::string_view kind, int64_t count) {
  switch (UnitOf(kind)) {
    case Unit::kThousandths:
      return values::PrintThousandths(count);
    case Unit::kWhole:
      return absl::StrCat(count);
    case Unit::kBytes:
      break;
  }
  if (count == 0) return "0";
  std::string shortest;
  for (const ByteUnit& unit : kByteUnits) {
    if (count % unit.bytes != 0) continue;
    std::string text = absl::StrCat(count / unit.bytes, unit.suffix);
    if (shortest.empty() || text.size() < shortest.size()) shortest = std::move(text);
  }
  return shortest;
}

Quantities::Quantities(std::initializer_list<std::pair<const char*, int64_t>> items) {
  for (const auto& [kind, count] : items) Set(kind, count);
}

absl::StatusOr<Quantities> Quantities::Parse(absl::string_view text) {
  Quantities quantities;
  if (absl::StripAsciiWhitespace(text).empty()) return quantities;
  auto& items = quantities.items_;
  for (absl::string_view item : absl::StrSplit(text, ';')) {
    item = absl::StripAsciiWhitespace(item);
    const size_t colon = item.find(':');
    if (colon == absl::string_view::npos) {
      return Refusal("quantities", "kind:amount like \"cpus:1.5\"", item,
                     "separate items by single semicolons");
    }
    const absl::string_view kind = item.substr(0, colon);
    if (absl::Status status = ValidateName(kind); !status.ok()) return status;
    absl::StatusOr<int64_t> count =
        ParseScalar(kind, absl::StripAsciiWhitespace(item.substr(colon + 1)));
    if (!count.ok()) return count.status();
    items.emplace_back(kind, *count);
  }
  std::sort(items.begin(), items.end());
  const auto twice = std::adjacent_find(
      items.begin(), items.end(), [](const auto& a, const auto& b) { return a.first == b.first; });
  if (twice != items.end()) {
    return Refusal("quantities", "every kind once", twice->first, "give one amount of each kind");
  }
  EraseZeros(&items);
  return quantities;
}

int64_t Quantities::Get(absl::string_view kind) const {
  const auto it = Position(items_, kind);
  return it != items_.end() && it->first == kind ? it->second : 0;
}

void Quantities::Set(absl::string_view kind, int64_t count) {
  const auto it = Position(items_, kind);
  const bool found = it != items_.end() && it->first == kind;
  if (count <= 0) {
    if (found) items_.erase(it);
  } else if (found) {
    it->second = count;
  } else {
    items_.emplace(it, std::string(kind), count);
  }
}

absl::Status Quantities::Add(const Quantities& other) {
  std::vector<std::pair<std::string, int64_t>> sum;
  sum.reserve(items_.size() + other.items_.size());
  auto a = items_.begin();
  auto b = other.items_.begin();
  while (a != items_.end() || b != other.items_.end()) {
    if (b == other.items_.end() || (a != items_.end() && a->first < b->first)) {
      sum.push_back(*a++);
    } else if (a == items_.end() || b->first < a->first) {
      sum.push_back(*b++);
    } else {
      int64_t count = 0;
      if (__builtin_add_overflow(a->second, b->second, &count)) {
        return absl::OutOfRangeError(absl::StrCat(
            a->first, ": expected a sum of at most ", Quoted(PrintScalar(a->first, kMax)),
            ", found ", Quoted(PrintScalar(a->first, a->second)), " and ",
            Quoted(PrintScalar(b->first, b->second)), "; use smaller amounts"));
      }
      sum.emplace_back(a->first, count);
      ++a, ++b;
    }
  }
  items_ = std::move(sum);
  return absl::OkStatus();
}

void Quantities::SubtractClamped(const Quantities& other) {
  auto b = other.items_.begin();
  for (auto& [kind, count] : items_) {
    while (b != other.items_.end() && b->first < kind) ++b;
    if (b != other.items_.end() && b->first == kind)
      count = std::max<int64_t>(count - b->second, 0);
  }
  EraseZeros(&items_);
}

bool Quantities::Contains(const Quantities& other) const {
  auto a = items_.begin();
  for (const auto& [kind, count] : other.items_) {
    while (a != items_.end() && a->first < kind) ++a;
    if (a == items_.end() || a->first != kind || a->second < count) return false;
  }
  return true;
}

std::string Quantities::ToString() const {
  std::string text;
  for (const auto& [kind, count] : items_) {
    absl::StrAppend(&text, text.empty() ? "" : ";", kind, ":", PrintScalar(kind, count));
  }
  return text;
}

std::ostream& operator<<(std::ostream& os, const Quantities& q) { return os << q.ToString(); }

}  // namespace proffer
