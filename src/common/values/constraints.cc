// Constraints on agents: making, reading, printing and testing them.
#include "proffer/constraints.h"

#include <re2/re2.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/utf8.h"
#include "common/values/text.h"
#include "proffer/resources.h"

namespace proffer {
namespace {

using values::Refusal;

constexpr size_t kValues = 256;
constexpr size_t kValueBytes = 1024;
constexpr int64_t kPatternMemoryBytes = 64 << 10;

RE2::Options PatternOptions() {
  RE2::Options options;
  options.set_log_errors(false);  // What is wrong goes back to whoever asked.
  options.set_max_mem(kPatternMemoryBytes);
  options.set_dot_nl(true);
  options.set_never_capture(true);
  return options;
}

bool KeptInValue(char c) {
  return absl::ascii_isprint(static_cast<unsigned char>(c)) && c != '%' && c != ',' && c != '{' &&
         c != '}' && c != ' ';
}

absl::StatusOr<std::string> ReadValue(absl::string_view fact, absl::string_view text) {
  std::optional<std::string> value = values::PercentDecode(text);
  if (!value.has_value()) {
    return Refusal(fact, "two hexadecimal digits after every \"%\"", text,
                   "write \"%25\" for a percent sign");
  }
  return *std::move(value);
}

// The text of a fact. Attributes that are not texts are printed into `storage`.
std::optional<absl::string_view> TextOf(const AgentFacts& facts, const std::string& fact,
                                        std::string* storage) {
  const std::string* own = fact == "hostname" ? &facts.hostname
                           : fact == "region" ? &facts.region
                           : fact == "zone"   ? &facts.zone
                                              : nullptr;
  if (own != nullptr) {
    if (own->empty()) return std::nullopt;
    return absl::string_view(*own);
  }
  const AttributeValue* value = facts.attributes.Find(fact);
  if (value == nullptr) return std::nullopt;
  if (const auto* text = std::get_if<std::string>(value); text != nullptr) {
    return absl::string_view(*text);
  }
  *storage = AttributeText(*value);
  return absl::string_view(*storage);
}

}  // namespace

struct Constraint::Pattern {
  explicit Pattern(const std::string& text) : expression(text, PatternOptions()) {}
  RE2 expression;
};

absl::StatusOr<Constraint> Constraint::Make(std::string fact, Test test,
                                            std::vector<std::string> values, bool negated) {
  if (absl::Status status = ValidateName(fact); !status.ok()) return status;
  const size_t least = test == Test::kExists ? 0 : 1;
  const size_t most = test == Test::kExists ? 0 : test == Test::kIn ? kValues : 1;
  if (values.size() < least || values.size() > most) {
    return absl::InvalidArgumentError(absl::StrCat(
        fact, ": expected ", least == most ? absl::StrCat(most) : absl::StrCat("1 to ", most),
        " values to compare with, found ", values.size(), "; write it like \"", fact,
        "==r1\" or \"", fact, " in {r1,r2}\""));
  }
  for (const std::string& value : values) {
    if (value.empty() || value.size() > kValueBytes) {
      return Refusal(fact, "values of 1 to 1024 bytes", value,
                     absl::StrCat("write \"!", fact, "\" if its absence is meant"));
    }
    if (!IsUtf8(value)) return Refusal(fact, "values in UTF-8", value, "write them in UTF-8");
  }
  Constraint constraint;
  if (test == Test::kMatches) {
    constraint.pattern_ = std::make_shared<const Pattern>(values[0]);
    if (!constraint.pattern_->expression.ok()) {
      return Refusal(fact, "a regular expression that RE2 takes and that runs in 64 KiB", values[0],
                     constraint.pattern_->expression.error());
    }
  }
  constraint.fact_ = std::move(fact);
  constraint.test_ = test;
  constraint.values_ = std::move(values);
  constraint.negated_ = negated;
  return constraint;
}

absl::StatusOr<Constraint> Constraint::Parse(absl::string_view text) {
  const auto refuse = [&](absl::string_view advice) {
    return Refusal("constraint",
                   "rack, !rack, rack==r1, rack!=r1, rack in {r1,r2}, rack not in {r1}, rack~=r.* "
                   "or rack!~=r.*",
                   text, advice);
  };
  absl::string_view rest = text;
  const bool absent = absl::ConsumePrefix(&rest, "!");
  const auto end = std::find_if_not(rest.begin(), rest.end(),
                                    [](char c) { return values::IsPlain(c) && c != '/'; });
  std::string fact(rest.begin(), end);
  rest.remove_prefix(fact.size());
  if (fact.empty()) return refuse("start with the name of an attribute");
  if (rest.empty()) return Make(std::move(fact), Test::kExists, {}, absent);
  if (absent) return refuse("a leading \"!\" stands before a name alone");

  if (absl::ConsumePrefix(&rest, "~=")) {
    return Make(std::move(fact), Test::kMatches, {std::string(rest)}, false);
  }
  if (absl::ConsumePrefix(&rest, "!~=")) {
    return Make(std::move(fact), Test::kMatches, {std::string(rest)}, true);
  }
  const bool differs = absl::StartsWith(rest, "!=");
  if (absl::ConsumePrefix(&rest, "==") || absl::ConsumePrefix(&rest, "!=")) {
    if (!rest.empty() && rest[0] == ' ') return refuse("put no blanks around the operator");
    absl::StatusOr<std::string> value = ReadValue(fact, rest);
    if (!value.ok()) return value.status();
    return Make(std::move(fact), Test::kEquals, {*std::move(value)}, differs);
  }
  const bool outside = absl::StartsWith(rest, " not in {");
  if (absl::ConsumePrefix(&rest, " in {") || absl::ConsumePrefix(&rest, " not in {")) {
    if (!absl::ConsumeSuffix(&rest, "}")) return refuse("close the brace");
    std::vector<std::string> list;
    for (absl::string_view part : absl::StrSplit(rest, ',')) {
      absl::StatusOr<std::string> value = ReadValue(fact, absl::StripAsciiWhitespace(part));
      if (!value.ok()) return value.status();
      list.push_back(*std::move(value));
    }
    return Make(std::move(fact), Test::kIn, std::move(list), outside);
  }
  if (rest[0] == ' ') return refuse("put no blanks around the operator");
  return refuse(absl::StrCat(values::Quoted(rest.substr(0, 3)), " is not a test"));
}

std::string Constraint::ToString() const {
  switch (test_) {
    case Test::kExists:
      return absl::StrCat(negated_ ? "!" : "", fact_);
    case Test::kEquals:
      return absl::StrCat(fact_,
                          negated_ ? "!=" : "==", values::PercentEncode(values_[0], KeptInValue));
    case Test::kMatches:
      return absl::StrCat(fact_, negated_ ? "!~=" : "~=", values_[0]);
    case Test::kIn:
      break;
  }
  return absl::StrCat(fact_, negated_ ? " not in {" : " in {",
                      absl::StrJoin(values_, ",",
                                    [](std::string* out, const std::string& value) {
                                      out->append(values::PercentEncode(value, KeptInValue));
                                    }),
                      "}");
}

bool Constraint::Holds(const AgentFacts& facts) const {
  std::string storage;
  const std::optional<absl::string_view> text = TextOf(facts, fact_, &storage);
  bool holds = false;
  switch (test_) {
    case Test::kExists:
      holds = text.has_value();
      break;
    case Test::kEquals:
    case Test::kIn:
      holds = text.has_value() && std::any_of(values_.begin(), values_.end(),
                                              [&](const std::string& v) { return v == *text; });
      break;
    case Test::kMatches:
      holds = text.has_value() &&
              RE2::FullMatch(re2::StringPiece(text->data(), text->size()), pattern_->expression);
      break;
  }
  return holds != negated_;
}

bool AllHold(const Constraints& constraints, const AgentFacts& facts) {
  return std::all_of(constraints.begin(), constraints.end(),
                     [&](const Constraint& constraint) { return constraint.Holds(facts); });
}

std::string PrintConstraints(const Constraints& constraints) {
  return absl::StrJoin(constraints, " && ", [](std::string* out, const Constraint& constraint) {
    out->append(constraint.ToString());
  });
}

std::ostream& operator<<(std::ostream& os, const Constraint& c) { return os << c.ToString(); }

}  // namespace proffer
