// Names of roles, resources and attributes.
#include <gtest/gtest.h>

#include <string>

#include "common/base/limits.h"
#include "proffer/resources.h"

namespace proffer {
namespace {

TEST(Role, GoodNamesAreTaken) {
  for (const char* role : {"*", "eng", "eng/prod", "a/b/c/d", "E-1_x.y", "...", "a-"}) {
    EXPECT_TRUE(ValidateRole(role).ok()) << role << " " << ValidateRole(role);
  }
  EXPECT_TRUE(ValidateRole(std::string(limits::kRoleBytes, 'r')).ok());
}

TEST(Role, BadNamesAreRefusedWithAdvice) {
  const std::string slashes = "put single slashes between the parts, none at the ends";
  const struct {
    const char* role;
    std::string advice;
  } kCases[] = {
      {"", "write \"*\" if no role is meant"},
      {"/eng", slashes},
      {"eng/", slashes},
      {"eng//prod", slashes},
      {"eng/..", "no part may be \".\" or \"..\""},
      {"./eng", "no part may be \".\" or \"..\""},
      {"eng/*", "\"*\" stands alone"},
      {"-eng", "no part may start with \"-\""},
      {"eng/-prod", "no part may start with \"-\""},
      {"a b", "use no other characters"},
      {"a@b", "use no other characters"},
      {"*x", "use no other characters"},
      {"a\tb", "use no other characters"},
  };
  for (const auto& c : kCases) {
    const absl::Status status = ValidateRole(c.role);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.role;
    EXPECT_NE(std::string(status.message()).find("; " + c.advice), std::string::npos) << status;
  }
  EXPECT_EQ(
      ValidateRole("a//b").message(),
      "role: expected \"*\", or a path like \"eng/prod\" of [A-Za-z0-9._-], found \"a//b\"; " +
          slashes);
  EXPECT_FALSE(ValidateRole(std::string(limits::kRoleBytes + 1, 'r')).ok());
  EXPECT_FALSE(ValidateRole(absl::string_view("a\0b", 3)).ok());
}

TEST(Role, DescentGoesByWholeParts) {
  EXPECT_TRUE(IsSameOrDescendant("eng", "eng"));
  EXPECT_TRUE(IsSameOrDescendant("eng/prod", "eng"));
  EXPECT_TRUE(IsSameOrDescendant("eng/prod/web", "eng"));
  EXPECT_FALSE(IsSameOrDescendant("engine", "eng"));
  EXPECT_FALSE(IsSameOrDescendant("eng", "eng/prod"));
  EXPECT_FALSE(IsSameOrDescendant("eng", "*"));
  EXPECT_TRUE(IsSameOrDescendant("*", "*"));
  EXPECT_FALSE(IsSameOrDescendant("eng", ""));
}

TEST(Name, FollowsItsRule) {
  EXPECT_TRUE(ValidateName("cpus").ok());
  EXPECT_TRUE(ValidateName("A0_.-z").ok());
  EXPECT_TRUE(ValidateName(std::string(63, 'n')).ok());
  for (const char* name : {"", "9x", "_x", "-x", "a b", "a/b", "a:b", "\xc3\xa4"}) {
    EXPECT_FALSE(ValidateName(name).ok()) << name;
  }
  EXPECT_FALSE(ValidateName(std::string(64, 'n')).ok());
  EXPECT_EQ(ValidateName("9x").message(),
            "name: expected a letter and then at most 62 of [A-Za-z0-9_.-], found \"9x\"; start "
            "it with a letter");
}

}  // namespace
}  // namespace proffer
