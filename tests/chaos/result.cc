#include "chaos/result.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace proffer::chaos {
namespace {

constexpr char kEnd[] = "end of the result";

}  // namespace

std::string Print(const Result& result) {
  std::string text;
  for (const auto& [name, times] : result.faults) {
    absl::StrAppend(&text, "fault ", name, " ", times, "\n");
  }
  for (const auto& [name, value] : result.figures) {
    absl::StrAppend(&text, "figure ", name, " ", value, "\n");
  }
  const auto one_line = [](const std::string& line) {
    return absl::StrReplaceAll(line, {{"\n", " "}});
  };
  for (const std::string& line : result.violations) {
    absl::StrAppend(&text, "violation ", one_line(line), "\n");
  }
  for (const std::string& line : result.story) {
    absl::StrAppend(&text, "story ", one_line(line), "\n");
  }
  if (!result.void_because.empty()) {
    absl::StrAppend(&text, "void ", one_line(result.void_because), "\n");
  }
  return text + kEnd + "\n";
}

Result ParseResult(const std::string& text) {
  Result result;
  bool whole = false;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    whole = line == kEnd;
    const std::pair<std::string, std::string> parts = absl::StrSplit(line, absl::MaxSplits(' ', 1));
    if (parts.first == "violation") result.violations.push_back(parts.second);
    if (parts.first == "void") result.void_because = parts.second;
    if (parts.first == "story") result.story.push_back(parts.second);
    const std::pair<std::string, std::string> figure =
        absl::StrSplit(parts.second, absl::MaxSplits(' ', 1));
    int64_t value = 0;
    if (!absl::SimpleAtoi(figure.second, &value)) continue;
    if (parts.first == "fault") result.faults[figure.first] = static_cast<int>(value);
    if (parts.first == "figure") result.figures[figure.first] = value;
  }
  if (!whole) result.violations.emplace_back("the run died before it was judged");
  return result;
}

int64_t Percentile(std::vector<int64_t> values, int percent) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t rank = (values.size() * static_cast<size_t>(percent) + 99) / 100;
  return values[std::max<size_t>(rank, 1) - 1];
}

}  // namespace proffer::chaos
