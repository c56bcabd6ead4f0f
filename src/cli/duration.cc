#include "cli/duration.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"

namespace proffer::cli {
namespace {

constexpr int64_t kSecond = 1'000;
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;

std::string FormatTime(int64_t unix_ms, const char* format) {
  const time_t seconds = static_cast<time_t>(unix_ms / 1000);
  tm local = {};
  localtime_r(&seconds, &local);
  char text[64];
  strftime(text, sizeof(text), format, &local);
  return absl::StrFormat("%s.%03d", text, unix_ms % 1000);
}

}  // namespace

std::string PrintDuration(int64_t ms) {
  if (ms < 0) ms = 0;
  if (ms < kSecond) return absl::StrCat(ms, "ms");
  if (ms < kMinute) return absl::StrCat(ms / kSecond, "s");
  if (ms < kHour) return absl::StrFormat("%dm%02ds", ms / kMinute, ms % kMinute / kSecond);
  if (ms < kDay) return absl::StrFormat("%dh%02dm", ms / kHour, ms % kHour / kMinute);
  return absl::StrFormat("%dd%dh", ms / kDay, ms % kDay / kHour);
}

std::string PrintSeconds(int64_t ms) {
  if (ms < 0) ms = 0;
  if (ms < 100 * kSecond) return absl::StrFormat("%.2f s", static_cast<double>(ms) / 1000);
  return PrintDuration(ms);
}

absl::StatusOr<int64_t> ParseDuration(absl::string_view text) {
  const auto wrong = [&](absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is not a duration: ", why,
                                                   "; expected for instance 30s, ",
                                                   "5m, 1h30m or 500ms"));
  };
  absl::string_view rest = absl::StripAsciiWhitespace(text);
  if (rest == "0") return 0;
  if (rest.empty()) return wrong("it is empty");
  int64_t sum = 0;
  int64_t last_unit = std::numeric_limits<int64_t>::max();
  while (!rest.empty()) {
    int64_t number = 0;
    size_t digits = 0;
    while (digits < rest.size() && absl::ascii_isdigit(static_cast<unsigned char>(rest[digits]))) {
      if (digits >= 12) return wrong("it is too long");
      number = number * 10 + (rest[digits++] - '0');
    }
    if (digits == 0) return wrong("a number is missing");
    rest.remove_prefix(digits);
    int64_t unit = 0;
    if (absl::ConsumePrefix(&rest, "ms")) {
      unit = 1;
    } else if (absl::ConsumePrefix(&rest, "s")) {
      unit = kSecond;
    } else if (absl::ConsumePrefix(&rest, "m")) {
      unit = kMinute;
    } else if (absl::ConsumePrefix(&rest, "h")) {
      unit = kHour;
    } else if (absl::ConsumePrefix(&rest, "d")) {
      unit = kDay;
    } else {
      return wrong("a unit is missing");
    }
    if (unit >= last_unit) return wrong("units go from large to small");
    last_unit = unit;
    if (number > 1'000'000'000'000 / unit) return wrong("it is longer than 30 years");
    sum += number * unit;
  }
  return sum;
}

std::string PrintTime(int64_t unix_ms) { return FormatTime(unix_ms, "%Y-%m-%d %H:%M:%S"); }
std::string PrintTimeOfDay(int64_t unix_ms) { return FormatTime(unix_ms, "%H:%M:%S"); }

}  // namespace proffer::cli
