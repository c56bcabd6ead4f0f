// Implementation of text.h.
#include "common/values/text.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace proffer::values {
namespace {

constexpr size_t kQuotedBytes = 120;
constexpr int kDigits = 19;  // More digits than this overflow an int64 in any unit.

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::string Quoted(absl::string_view text) {
  const bool cut = text.size() > kQuotedBytes;
  return absl::StrCat("\"", absl::CHexEscape(text.substr(0, kQuotedBytes)), cut ? "..." : "", "\"");
}

absl::Status Refusal(absl::string_view subject, absl::string_view expected, absl::string_view found,
                     absl::string_view advice) {
  return absl::InvalidArgumentError(absl::StrCat(subject, subject.empty() ? "" : ": ", "expected ",
                                                 expected, ", found ", Quoted(found), "; ",
                                                 advice));
}

absl::Status Under(absl::string_view subject, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(subject, ": ", status.message()));
}

bool IsPlain(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '/' ||
         c == '-';
}

std::string PercentEncode(absl::string_view text, bool (*keep)(char)) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (char c : text) {
    if (keep(c)) {
      encoded.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded.append({'%', kHex[byte >> 4], kHex[byte & 15]});
    }
  }
  return encoded;
}

std::string PercentEncode(absl::string_view text) { return PercentEncode(text, IsPlain); }

std::optional<std::string> PercentDecode(absl::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = HexDigit(text[i + 1]);
    const int low = HexDigit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    decoded.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return decoded;
}

Decimal ReadDecimal(absl::string_view text) {
  Decimal decimal;
  if (!text.empty() && text[0] == '-') {
    decimal.fault = Decimal::Fault::kNegative;
    return decimal;
  }
  size_t i = 0;
  int digits = 0;
  absl::uint128 whole = 0;
  for (; i < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[i])); ++i) {
    if (digits > 0 || text[i] != '0') ++digits;
    if (digits <= kDigits) whole = whole * 10 + static_cast<uint64_t>(text[i] - '0');
  }
  if (i == 0) {
    decimal.fault = Decimal::Fault::kSyntax;
    return decimal;
  }
  uint64_t fraction = 0;
  if (i < text.size() && text[i] == '.') {
    int decimals = 0;
    for (++i; i < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[i])); ++i) {
      if (++decimals <= 3) fraction = fraction * 10 + static_cast<uint64_t>(text[i] - '0');
    }
    if (decimals == 0) {
      decimal.fault = Decimal::Fault::kSyntax;
      return decimal;
    }
    if (decimals > 3) decimal.fault = Decimal::Fault::kTooManyDecimals;
    for (; decimals < 3; ++decimals) fraction *= 10;
  }
  if (digits > kDigits) decimal.fault = Decimal::Fault::kTooLarge;
  decimal.thousandths = whole * 1000 + fraction;
  decimal.length = i;
  return decimal;
}

std::string PrintThousandths(int64_t thousandths) {
  const uint64_t magnitude =
      thousandths < 0 ? -static_cast<uint64_t>(thousandths) : static_cast<uint64_t>(thousandths);
  std::string text = absl::StrCat(thousandths < 0 ? "-" : "", magnitude / 1000);
  if (const uint64_t rest = magnitude % 1000; rest != 0) {
    absl::StrAppend(&text, ".", absl::Dec(rest, absl::kZeroPad3));
    while (text.back() == '0') text.pop_back();
  }
  return text;
}

}  // namespace proffer::values
