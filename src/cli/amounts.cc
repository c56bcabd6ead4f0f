#include "cli/amounts.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "proffer/quantity.h"
#include "proffer/ranges.h"

namespace proffer::cli {

Amounts SumOf(const ResourceList& resources) {
  Amounts sum;
  for (const v1::Resource& resource : resources) {
    int64_t count = resource.scalar();
    for (const v1::Range& range : resource.ranges().ranges()) {
      count += static_cast<int64_t>(range.last() - range.first() + 1);
    }
    sum[resource.name()] += count + resource.set().items_size();
  }
  return sum;
}

Amounts FromMap(const google::protobuf::Map<std::string, int64_t>& map) {
  return Amounts(map.begin(), map.end());
}

int64_t Of(const Amounts& amounts, const std::string& name) {
  const auto it = amounts.find(name);
  return it == amounts.end() ? 0 : it->second;
}

std::string HumanAmount(absl::string_view name, int64_t count) {
  if (count == 0) return "0";
  if (UnitOf(name) != Unit::kBytes) return PrintScalar(name, count);
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  int unit = 0;
  int64_t size = 1;
  while (unit < 4 && count >= size * 1024) {
    size *= 1024;
    ++unit;
  }
  // Rounded down: nobody should ask for the rest of a rounding.
  const int64_t tenths = static_cast<int64_t>(static_cast<__int128>(count) * 10 / size);
  if (tenths % 10 == 0) return absl::StrCat(tenths / 10, kUnits[unit]);
  return absl::StrFormat("%d.%d%s", tenths / 10, tenths % 10, kUnits[unit]);
}

std::string HumanAmounts(const Amounts& amounts) {
  std::vector<std::string> parts;
  const auto add = [&](const std::string& name, int64_t count) {
    if (count != 0) parts.push_back(absl::StrCat(name, " ", HumanAmount(name, count)));
  };
  add(kCpus, Of(amounts, kCpus));
  add(kMem, Of(amounts, kMem));
  for (const auto& [name, count] : amounts) {
    if (name != kCpus && name != kMem) add(name, count);
  }
  return absl::StrJoin(parts, "  ");
}

std::string PortsOf(const ResourceList& resources) {
  Ranges ports;
  for (const v1::Resource& resource : resources) {
    if (resource.name() != kPorts) continue;
    for (const v1::Range& range : resource.ranges().ranges()) {
      if (range.first() > range.last() || range.last() > kMaxRangeValue) continue;
      ports.Add(Ranges({Range{range.first(), range.last()}}));
    }
  }
  if (ports.empty()) return "";
  const std::string text = ports.ToString();
  return text.substr(1, text.size() - 2);  // Without the brackets.
}

std::string HumanShare(int64_t share) {
  return absl::StrFormat("%.1f %%", static_cast<double>(share) / 1e10);
}

}  // namespace proffer::cli
