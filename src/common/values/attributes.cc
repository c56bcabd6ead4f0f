// What an agent says about itself: named texts, numbers and ranges.
#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/utf8.h"
#include "common/values/text.h"
#include "proffer/constraints.h"
#include "proffer/resources.h"

namespace proffer {
namespace {

using values::Refusal;

constexpr size_t kAttributes = 100;
constexpr size_t kTextBytes = 64u << 10;
constexpr size_t kValueBytes = 1024;

// A text is a number only in the form in which the number is printed: "007" and "1.50" stay
// texts, so that a constraint sees exactly what the operator wrote.
std::optional<AttributeNumber> ReadNumber(absl::string_view text) {
  absl::StatusOr<int64_t> count = ParseScalar(kCpus, text);
  if (!count.ok() || values::PrintThousandths(*count) != text) return std::nullopt;
  return AttributeNumber{*count};
}

bool KeptInText(char c) {
  return absl::ascii_isprint(static_cast<unsigned char>(c)) && c != ';' && c != '%';
}

bool KeptNowhere(char c) { return false; }

// Encodes the ends where they would be stripped, or where the whole would read as something else.
std::string EncodeText(const std::string& text) {
  const bool confusing = text[0] == '[' || text[0] == ' ' || ReadNumber(text).has_value();
  const size_t from = confusing ? 1 : 0;
  const size_t to = text.size() > from && text.back() == ' ' ? text.size() - 1 : text.size();
  const absl::string_view view = text;
  return absl::StrCat(values::PercentEncode(view.substr(0, from), KeptNowhere),
                      values::PercentEncode(view.substr(from, to - from), KeptInText),
                      values::PercentEncode(view.substr(to), KeptNowhere));
}

absl::StatusOr<AttributeValue> ReadValue(absl::string_view name, absl::string_view text) {
  if (!text.empty() && text[0] == '[') {
    absl::StatusOr<Ranges> ranges = Ranges::Parse(text);
    if (!ranges.ok()) return values::Under(name, ranges.status());
    return *std::move(ranges);
  }
  if (const std::optional<AttributeNumber> number = ReadNumber(text); number.has_value()) {
    return *number;
  }
  std::optional<std::string> decoded = values::PercentDecode(text);
  if (!decoded.has_value()) {
    return Refusal(name, "two hexadecimal digits after every \"%\"", text,
                   "write \"%25\" for a percent sign");
  }
  return *std::move(decoded);
}

}  // namespace

absl::StatusOr<Attributes> Attributes::Parse(absl::string_view text) {
  if (text.size() > kTextBytes) {
    return absl::InvalidArgumentError(absl::StrCat("attributes: expected at most ", kTextBytes,
                                                   " bytes, found ", text.size(),
                                                   "; shorten them"));
  }
  Attributes attributes;
  if (absl::StripAsciiWhitespace(text).empty()) return attributes;
  for (absl::string_view item : absl::StrSplit(text, ';')) {
    item = absl::StripAsciiWhitespace(item);
    const size_t colon = item.find(':');
    if (colon == absl::string_view::npos) {
      return Refusal("attributes", "name:value like \"rack:r1\"", item,
                     "separate attributes by single semicolons");
    }
    const absl::string_view name = item.substr(0, colon);
    if (absl::Status status = ValidateName(name); !status.ok()) return status;
    if (attributes.Find(name) != nullptr) {
      return Refusal("attributes", "every name once", name, "leave one of them away");
    }
    absl::StatusOr<AttributeValue> value =
        ReadValue(name, absl::StripAsciiWhitespace(item.substr(colon + 1)));
    if (!value.ok()) return value.status();
    if (absl::Status status = attributes.Set(name, *std::move(value)); !status.ok()) return status;
  }
  return attributes;
}

std::string Attributes::ToString() const {
  std::string text;
  for (const auto& [name, value] : items_) {
    const auto* word = std::get_if<std::string>(&value);
    absl::StrAppend(&text, text.empty() ? "" : ";", name, ":",
                    word != nullptr ? EncodeText(*word) : AttributeText(value));
  }
  return text;
}

absl::Status Attributes::Set(absl::string_view name, AttributeValue value) {
  if (absl::Status status = ValidateName(name); !status.ok()) return status;
  if (const auto* text = std::get_if<std::string>(&value); text != nullptr) {
    if (text->empty() || text->size() > kValueBytes) {
      return Refusal(name, "a value of 1 to 1024 bytes", *text,
                     "leave the attribute away if it says nothing");
    }
    if (!IsUtf8(*text)) return Refusal(name, "a value in UTF-8", *text, "write it in UTF-8");
  } else if (const auto* number = std::get_if<AttributeNumber>(&value); number != nullptr) {
    if (number->thousandths < 0) {
      return Refusal(name, "a number that is not negative", AttributeText(value),
                     "write it as a text");
    }
  }
  const auto it = items_.find(std::string(name));
  if (it != items_.end()) {
    it->second = std::move(value);
    return absl::OkStatus();
  }
  if (items_.size() >= kAttributes) {
    return Refusal("attributes", absl::StrCat("at most ", kAttributes),
                   absl::StrCat("another, ", name), "leave some of them away");
  }
  items_.emplace(std::string(name), std::move(value));
  return absl::OkStatus();
}

const AttributeValue* Attributes::Find(absl::string_view name) const {
  const auto it = items_.find(std::string(name));
  return it == items_.end() ? nullptr : &it->second;
}

std::string AttributeText(const AttributeValue& value) {
  if (const auto* text = std::get_if<std::string>(&value); text != nullptr) return *text;
  if (const auto* number = std::get_if<AttributeNumber>(&value); number != nullptr) {
    return values::PrintThousandths(number->thousandths);
  }
  return std::get<Ranges>(value).ToString();
}

std::ostream& operator<<(std::ostream& os, const Attributes& a) { return os << a.ToString(); }

}  // namespace proffer
