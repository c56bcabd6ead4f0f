// Constraints: their text forms, and which agents they hold for.
#include "proffer/constraints.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/base/prng.h"
#include "unit/values/random_values.h"

namespace proffer {
namespace {

AgentFacts Facts() {
  AgentFacts facts;
  facts.hostname = "node7.example";
  facts.region = "eu";
  facts.attributes = *Attributes::Parse("rack:r12;generation:3;vlans:[1-9];os:Debian 12;region:us");
  return facts;
}

TEST(Constraint, HoldsForTheAgentsItDescribes) {
  const struct {
    const char* text;
    bool holds;
  } kCases[] = {
      {"rack", true},
      {"!rack", false},
      {"nothing", false},
      {"!nothing", true},
      {"zone", false},  // Not set.
      {"!zone", true},
      {"rack==r12", true},
      {"rack==r1", false},
      {"rack!=r12", false},
      {"rack!=r1", true},
      {"nothing==r1", false},
      {"nothing!=r1", true},
      {"rack in {r1,r12}", true},
      {"rack in {r1, r2}", false},
      {"rack not in {r1,r12}", false},
      {"rack not in {r1}", true},
      {"nothing in {a}", false},
      {"nothing not in {a}", true},
      {"rack~=r[0-9]+", true},
      {"rack~=r[0-9]", false},  // The whole text must match.
      {"rack!~=r.*", false},
      {"rack!~=x.*", true},
      {"nothing~=.*", false},
      {"nothing!~=.*", true},
      {"generation==3", true},
      {"generation==3.0", false},
      {"vlans==[1-9]", true},
      {"os==Debian%2012", true},
      {"os==Debian 12", true},
      {"hostname~=node[0-9]+\\.example", true},
      {"region==eu", true},  // The agent's own, whatever attribute has that name.
  };
  const AgentFacts facts = Facts();
  for (const auto& c : kCases) {
    const auto constraint = Constraint::Parse(c.text);
    ASSERT_TRUE(constraint.ok()) << c.text << " " << constraint.status();
    EXPECT_EQ(constraint->Holds(facts), c.holds) << c.text;
    const Constraint copy = *constraint;
    EXPECT_EQ(copy.Holds(facts), c.holds) << c.text;
  }
}

TEST(Constraint, ListsHoldWhenAllDo) {
  const Constraints good = {*Constraint::Parse("rack"), *Constraint::Parse("region==eu")};
  Constraints bad = good;
  bad.push_back(*Constraint::Parse("zone"));
  EXPECT_TRUE(AllHold({}, Facts()));
  EXPECT_TRUE(AllHold(good, Facts()));
  EXPECT_FALSE(AllHold(bad, Facts()));
  EXPECT_EQ(PrintConstraints(bad), "rack && region==eu && zone");
}

TEST(Constraint, RefusalsSayWhatWasExpectedWhatWasFoundAndWhatToDo) {
  const std::string forms =
      "constraint: expected rack, !rack, rack==r1, rack!=r1, rack in {r1,r2}, rack not in {r1}, "
      "rack~=r.* or rack!~=r.*, found ";
  const struct {
    const char* text;
    std::string message;
  } kCases[] = {
      {"", forms + "\"\"; start with the name of an attribute"},
      {"==r1", forms + "\"==r1\"; start with the name of an attribute"},
      {"rack == r1", forms + "\"rack == r1\"; put no blanks around the operator"},
      {"rack== r1", forms + "\"rack== r1\"; put no blanks around the operator"},
      {"rack=r1", forms + "\"rack=r1\"; \"=r1\" is not a test"},
      {"!rack==r1", forms + "\"!rack==r1\"; a leading \"!\" stands before a name alone"},
      {"rack in {a", forms + "\"rack in {a\"; close the brace"},
      {"9==r1",
       "name: expected a letter and then at most 62 of [A-Za-z0-9_.-], found \"9\"; start it with "
       "a letter"},
      {"rack==",
       "rack: expected values of 1 to 1024 bytes, found \"\"; write \"!rack\" if its absence is "
       "meant"},
      {"rack in {}",
       "rack: expected values of 1 to 1024 bytes, found \"\"; write \"!rack\" if its absence is "
       "meant"},
      {"rack==50%",
       "rack: expected two hexadecimal digits after every \"%\", found \"50%\"; write \"%25\" for "
       "a percent sign"},
      {"rack~=r[",
       "rack: expected a regular expression that RE2 takes and that runs in 64 KiB, found \"r[\"; "
       "missing ]: ["},
      {"rack~=((a{100}){100}){100}",
       "rack: expected a regular expression that RE2 takes and that runs in 64 KiB, found "
       "\"((a{100}){100}){100}\"; invalid repetition size: {100}"},
      {"rack~=(abcdefghijklmnopqrstuvwxyz){900}",
       "rack: expected a regular expression that RE2 takes and that runs in 64 KiB, found "
       "\"(abcdefghijklmnopqrstuvwxyz){900}\"; pattern too large - compile failed"},
  };
  for (const auto& c : kCases) {
    const auto constraint = Constraint::Parse(c.text);
    ASSERT_FALSE(constraint.ok()) << c.text;
    EXPECT_EQ(std::string(constraint.status().message()), c.message);
  }
}

TEST(Constraint, IsMadeOnlyWithTheRightNumberOfValues) {
  using Test = Constraint::Test;
  EXPECT_TRUE(Constraint::Make("rack", Test::kExists, {}, false).ok());
  EXPECT_FALSE(Constraint::Make("rack", Test::kExists, {"a"}, false).ok());
  EXPECT_FALSE(Constraint::Make("rack", Test::kEquals, {"a", "b"}, false).ok());
  EXPECT_FALSE(Constraint::Make("rack", Test::kMatches, {}, false).ok());
  EXPECT_EQ(Constraint::Make("rack", Test::kIn, {}, false).status().message(),
            "rack: expected 1 to 256 values to compare with, found 0; write it like \"rack==r1\" "
            "or \"rack in {r1,r2}\"");
  EXPECT_FALSE(Constraint::Make("rack", Test::kIn, std::vector<std::string>(257, "a"), false).ok());
}

TEST(Constraint, ReadingWhatWasPrintedGivesTheSame) {
  Prng prng(10);
  for (int i = 0; i < 5'000; ++i) {
    const Constraint constraint = RandomConstraint(&prng);
    const auto again = Constraint::Parse(constraint.ToString());
    ASSERT_TRUE(again.ok()) << constraint << " " << again.status();
    ASSERT_EQ(*again, constraint) << constraint;
  }
}

}  // namespace
}  // namespace proffer
