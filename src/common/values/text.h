// What the text forms of all values share: quoting, percent-encoding, decimals, refusals.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace proffer::values {

// In double quotes, with unprintable characters escaped and long texts cut, for error messages.
std::string Quoted(absl::string_view text);

// INVALID_ARGUMENT: "<subject>: expected <expected>, found "<found>"; <advice>". Without a
// subject the message starts with "expected".
absl::Status Refusal(absl::string_view subject, absl::string_view expected, absl::string_view found,
                     absl::string_view advice);

// The same status with "<subject>: " in front of its message.
absl::Status Under(absl::string_view subject, const absl::Status& status);

// The characters that principals, ids, paths and set items are written with as they are.
bool IsPlain(char c);  // [A-Za-z0-9._/-]
// Writes every character for which `keep` is false as %XX.
std::string PercentEncode(absl::string_view text, bool (*keep)(char));
std::string PercentEncode(absl::string_view text);  // Keeps what IsPlain.
// Nothing when a '%' is not followed by two hexadecimal digits.
std::optional<std::string> PercentDecode(absl::string_view text);

// A decimal at the start of a text: digits, then perhaps a point and one to three digits.
struct Decimal {
  enum class Fault { kNone, kSyntax, kNegative, kTooManyDecimals, kTooLarge };
  Fault fault = Fault::kNone;
  absl::uint128 thousandths = 0;  // Below 2^77 when there is no fault.
  size_t length = 0;              // How much of the text it is.
};
Decimal ReadDecimal(absl::string_view text);

// "1.5" for 1500, "-0.001" for -1.
std::string PrintThousandths(int64_t thousandths);

}  // namespace proffer::values
