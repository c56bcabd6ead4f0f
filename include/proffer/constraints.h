// Which agents a framework wants at all: decided by the allocator before anything is offered.
//
// A constraint tests one fact of an agent; a list of constraints holds when all of them hold.
// Text forms, one printer, parse of print is the identity:
//   rack            the attribute exists            !rack          it does not
//   rack==r1        equals                          rack!=r1       does not equal, or is absent
//   rack in {r1,r2} one of                          rack not in {r1}
//   rack~=r[0-9]+   matches the whole text (RE2)    rack!~=r.*
// Values of equals and one-of are percent-encoded where they hold blanks, commas, braces, '%' or
// unprintable characters; patterns stand as they are. No blanks around operators.
// The names hostname, region and zone mean the agent's own facts instead of an attribute. A test
// other than existence on an absent fact is false, and its negation true.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proffer/ranges.h"

namespace proffer {

// An agent's attributes: name -> text, exact number (thousandths) or ranges.
struct AttributeNumber {
  int64_t thousandths = 0;
  friend bool operator==(const AttributeNumber&, const AttributeNumber&) = default;
};
using AttributeValue = std::variant<std::string, AttributeNumber, Ranges>;

class Attributes {
 public:
  // "rack:r1;generation:3;vlans:[1-9]": a number if it is written as one is printed ("007" is a
  // text), ranges in brackets, else text, in which %XX stands for a character. Refuses duplicate
  // names, bad names (see ValidateName), values empty or not UTF-8, over 100 attributes.
  static absl::StatusOr<Attributes> Parse(absl::string_view text);
  std::string ToString() const;

  // Replaces what is there of that name.
  absl::Status Set(absl::string_view name, AttributeValue value);
  const AttributeValue* Find(absl::string_view name) const;
  const std::map<std::string, AttributeValue>& items() const& { return items_; }
  std::map<std::string, AttributeValue> items() && { return std::move(items_); }
  friend bool operator==(const Attributes&, const Attributes&) = default;

 private:
  std::map<std::string, AttributeValue> items_;
};

std::ostream& operator<<(std::ostream& os, const Attributes& a);

// An attribute's value as text: what `equals` and `matches` compare.
std::string AttributeText(const AttributeValue& value);

// What constraints are tested against.
struct AgentFacts {
  std::string hostname;
  std::string region;  // Empty: not set.
  std::string zone;
  Attributes attributes;
  friend bool operator==(const AgentFacts&, const AgentFacts&) = default;
};

class Constraint {
 public:
  enum class Test { kExists, kEquals, kIn, kMatches };

  // Refuses bad names, empty value lists (kExists takes none, kEquals and kMatches one), values
  // that are empty or not UTF-8, and patterns that RE2 refuses or that need more than 64 KiB to
  // run.
  static absl::StatusOr<Constraint> Make(std::string fact, Test test,
                                         std::vector<std::string> values, bool negated);
  static absl::StatusOr<Constraint> Parse(absl::string_view text);
  std::string ToString() const;

  bool Holds(const AgentFacts& facts) const;

  const std::string& fact() const { return fact_; }
  Test test() const { return test_; }
  const std::vector<std::string>& values() const { return values_; }
  bool negated() const { return negated_; }
  friend bool operator==(const Constraint& a, const Constraint& b) {
    return a.fact_ == b.fact_ && a.test_ == b.test_ && a.values_ == b.values_ &&
           a.negated_ == b.negated_;
  }

 private:
  struct Pattern;  // A compiled expression, shared between copies.

  Constraint() = default;
  std::string fact_;
  Test test_ = Test::kExists;
  std::vector<std::string> values_;
  bool negated_ = false;
  std::shared_ptr<const Pattern> pattern_;
};

std::ostream& operator<<(std::ostream& os, const Constraint& c);

using Constraints = std::vector<Constraint>;

bool AllHold(const Constraints& constraints, const AgentFacts& facts);
std::string PrintConstraints(const Constraints& constraints);  // Joined by " && ".

}  // namespace proffer
