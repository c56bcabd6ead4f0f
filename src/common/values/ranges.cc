// Sets of uint64 as sorted intervals: every operation is one sweep or binary searches.
#include "proffer/ranges.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/values/text.h"

namespace proffer {
namespace {

using values::Refusal;

constexpr char kExpected[] = "ranges like \"[31000-32000,33000]\"";

bool FirstLess(const Range& a, const Range& b) { return a.first < b.first; }

// Sorted by `first` on input; joins what overlaps or touches.
std::vector<Range> Joined(std::vector<Range> sorted) {
  size_t kept = 0;
  for (size_t i = 0; i < sorted.size(); ++i) {
    if (kept > 0 && sorted[i].first <= sorted[kept - 1].last + 1) {
      sorted[kept - 1].last = std::max(sorted[kept - 1].last, sorted[i].last);
    } else {
      sorted[kept++] = sorted[i];
    }
  }
  sorted.resize(kept);
  return sorted;
}

std::string Text(const Range& range) {
  return range.first == range.last ? absl::StrCat(range.first)
                                   : absl::StrCat(range.first, "-", range.last);
}

std::optional<uint64_t> ReadValue(absl::string_view text) {
  uint64_t value = 0;
  // SimpleAtoi would also take signs and blanks.
  if (text.empty() || !std::all_of(text.begin(), text.end(), absl::ascii_isdigit)) return {};
  if (!absl::SimpleAtoi(text, &value)) value = kMaxRangeValue + 1;
  return value;
}

// The interval of `ranges` that could hold `value`: the last that does not start above it.
std::vector<Range>::const_iterator At(std::vector<Range>::const_iterator begin,
                                      std::vector<Range>::const_iterator end, uint64_t value) {
  const auto above = std::upper_bound(begin, end, Range{value, value}, FirstLess);
  return above == begin ? end : std::prev(above);
}

}  // namespace

Ranges::Ranges(std::vector<Range> ranges) {
  for (const Range& range : ranges) {
    assert(range.first <= range.last && range.last <= kMaxRangeValue);
    static_cast<void>(range);
  }
  std::sort(ranges.begin(), ranges.end(), FirstLess);
  ranges_ = Joined(std::move(ranges));
}

absl::StatusOr<Ranges> Ranges::Make(std::vector<Range> ranges) {
  for (const Range& range : ranges) {
    if (range.first > range.last) {
      return Refusal("", kExpected, Text(range), "write the smaller value first");
    }
    if (range.last > kMaxRangeValue) {
      return Refusal("", kExpected, Text(range),
                     absl::StrCat("the largest value is ", kMaxRangeValue));
    }
  }
  std::sort(ranges.begin(), ranges.end(), FirstLess);
  for (size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i].first <= ranges[i - 1].last) {
      return Refusal("", kExpected, absl::StrCat(Text(ranges[i - 1]), ",", Text(ranges[i])),
                     "these overlap: give every value once");
    }
  }
  Ranges result;
  result.ranges_ = Joined(std::move(ranges));
  return result;
}

absl::StatusOr<Ranges> Ranges::Parse(absl::string_view text) {
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') {
    return Refusal("", kExpected, text, "put the values in square brackets");
  }
  const absl::string_view inside = absl::StripAsciiWhitespace(text.substr(1, text.size() - 2));
  if (inside.empty()) return Ranges();
  std::vector<Range> ranges;
  for (absl::string_view part : absl::StrSplit(inside, ',')) {
    part = absl::StripAsciiWhitespace(part);
    const std::pair<absl::string_view, absl::string_view> ends =
        absl::StrSplit(part, absl::MaxSplits('-', 1));
    const bool single = !absl::StrContains(part, '-');
    const std::optional<uint64_t> first = ReadValue(ends.first);
    const std::optional<uint64_t> last = single ? first : ReadValue(ends.second);
    if (!first.has_value() || !last.has_value()) {
      return Refusal("", kExpected, part, "write a number, or two with a \"-\" between");
    }
    if (*first > kMaxRangeValue || *last > kMaxRangeValue) {
      return Refusal("", kExpected, part, absl::StrCat("the largest value is ", kMaxRangeValue));
    }
    ranges.push_back({*first, *last});
  }
  return Make(std::move(ranges));
}

std::string Ranges::ToString() const {
  std::string text = "[";
  for (const Range& range : ranges_) {
    absl::StrAppend(&text, text.size() == 1 ? "" : ",", Text(range));
  }
  text.push_back(']');
  return text;
}

int64_t Ranges::Count() const {
  int64_t count = 0;  // At most 2^62 + 1, because the intervals are disjoint.
  for (const Range& range : ranges_) count += static_cast<int64_t>(range.last - range.first) + 1;
  return count;
}

bool Ranges::Contains(const Ranges& other) const {
  auto from = ranges_.begin();
  for (const Range& wanted : other.ranges_) {
    from = At(from, ranges_.end(), wanted.first);
    if (from == ranges_.end() || from->last < wanted.last) return false;
  }
  return true;
}

bool Ranges::Intersects(const Ranges& other) const {
  if (ranges_.size() < other.ranges_.size()) return other.Intersects(*this);
  for (const Range& wanted : other.ranges_) {
    const auto it = At(ranges_.begin(), ranges_.end(), wanted.last);
    if (it != ranges_.end() && it->last >= wanted.first) return true;
  }
  return false;
}

void Ranges::Add(const Ranges& other) {
  if (other.ranges_.empty()) return;
  std::vector<Range> merged;
  merged.reserve(ranges_.size() + other.ranges_.size());
  std::merge(ranges_.begin(), ranges_.end(), other.ranges_.begin(), other.ranges_.end(),
             std::back_inserter(merged), FirstLess);
  ranges_ = Joined(std::move(merged));
}

void Ranges::Subtract(const Ranges& other) {
  if (other.ranges_.empty() || ranges_.empty()) return;
  std::vector<Range> left;
  left.reserve(ranges_.size() + other.ranges_.size());
  auto hole = other.ranges_.begin();
  for (Range range : ranges_) {
    while (hole != other.ranges_.end() && hole->last < range.first) ++hole;
    bool gone = false;
    // A hole that reaches beyond this interval is looked at again for the next one.
    for (auto it = hole; !gone && it != other.ranges_.end() && it->first <= range.last; ++it) {
      if (it->first > range.first) left.push_back({range.first, it->first - 1});
      gone = it->last >= range.last;
      range.first = it->last + 1;
      hole = it;
    }
    if (!gone) left.push_back(range);
  }
  ranges_ = std::move(left);
}

Ranges Ranges::TakeLowest(int64_t count) const {
  Ranges taken;
  for (const Range& range : ranges_) {
    if (count <= 0) break;
    const int64_t size = static_cast<int64_t>(range.last - range.first) + 1;
    const int64_t part = std::min(size, count);
    taken.ranges_.push_back({range.first, range.first + static_cast<uint64_t>(part) - 1});
    count -= part;
  }
  assert(count <= 0);
  return taken;
}

std::ostream& operator<<(std::ostream& os, const Ranges& r) { return os << r.ToString(); }

}  // namespace proffer
