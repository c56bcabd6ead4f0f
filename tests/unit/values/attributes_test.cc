// Attributes: numbers, ranges and texts, and the texts that look like the others.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/prng.h"
#include "proffer/constraints.h"
#include "unit/values/random_values.h"

namespace proffer {
namespace {

TEST(Attributes, AreReadByTheirForm) {
  const auto attributes =
      Attributes::Parse("rack:r1; generation:3;vlans:[1-9];ratio:1.5;id:007;os:Debian 12:x%3By");
  ASSERT_TRUE(attributes.ok()) << attributes.status();
  EXPECT_EQ(std::get<std::string>(*attributes->Find("rack")), "r1");
  EXPECT_EQ(std::get<AttributeNumber>(*attributes->Find("generation")).thousandths, 3000);
  EXPECT_EQ(std::get<Ranges>(*attributes->Find("vlans")).Count(), 9);
  EXPECT_EQ(std::get<AttributeNumber>(*attributes->Find("ratio")).thousandths, 1500);
  EXPECT_EQ(std::get<std::string>(*attributes->Find("id")), "007");
  EXPECT_EQ(std::get<std::string>(*attributes->Find("os")), "Debian 12:x;y");
  EXPECT_EQ(attributes->Find("nothing"), nullptr);
  EXPECT_EQ(attributes->ToString(),
            "generation:3;id:007;os:Debian 12:x%3By;rack:r1;ratio:1.5;vlans:[1-9]");
}

TEST(Attributes, TextsThatLookLikeNumbersStayTexts) {
  Attributes attributes;
  ASSERT_TRUE(attributes.Set("a", std::string("3")).ok());
  ASSERT_TRUE(attributes.Set("b", std::string("[x")).ok());
  ASSERT_TRUE(attributes.Set("c", std::string(" ")).ok());
  EXPECT_EQ(attributes.ToString(), "a:%33;b:%5Bx;c:%20");
  EXPECT_EQ(*Attributes::Parse(attributes.ToString()), attributes);
}

TEST(Attributes, RefusalsSayWhatWasExpectedWhatWasFoundAndWhatToDo) {
  const struct {
    const char* text;
    const char* message;
  } kCases[] = {
      {"rack",
       "attributes: expected name:value like \"rack:r1\", found \"rack\"; separate attributes by "
       "single semicolons"},
      {"rack:r1;rack:r2",
       "attributes: expected every name once, found \"rack\"; leave one of them away"},
      {"rack:",
       "rack: expected a value of 1 to 1024 bytes, found \"\"; leave the attribute away if it says "
       "nothing"},
      {"rack:50%",
       "rack: expected two hexadecimal digits after every \"%\", found \"50%\"; write \"%25\" for "
       "a percent sign"},
      {"vlans:[2-1]",
       "vlans: expected ranges like \"[31000-32000,33000]\", found \"2-1\"; write the smaller "
       "value first"},
      {"1a:x",
       "name: expected a letter and then at most 62 of [A-Za-z0-9_.-], found \"1a\"; start it with "
       "a letter"},
  };
  for (const auto& c : kCases) {
    const auto attributes = Attributes::Parse(c.text);
    ASSERT_FALSE(attributes.ok()) << c.text;
    EXPECT_EQ(std::string(attributes.status().message()), c.message);
  }
  Attributes attributes;
  EXPECT_FALSE(attributes.Set("x", AttributeNumber{-1}).ok());
}

TEST(Attributes, AreAtMostAHundred) {
  Attributes attributes;
  for (int i = 0; i < limits::kAttributesPerAgent; ++i) {
    ASSERT_TRUE(attributes.Set(absl::StrCat("a", i), AttributeNumber{i}).ok());
  }
  EXPECT_EQ(attributes.Set("more", AttributeNumber{1}).message(),
            "attributes: expected at most 100, found \"another, more\"; leave some of them away");
  EXPECT_TRUE(attributes.Set("a0", AttributeNumber{1}).ok());
}

TEST(Attributes, ReadingWhatWasPrintedGivesTheSame) {
  Prng prng(9);
  for (int i = 0; i < 20'000; ++i) {
    const Attributes attributes = RandomAttributes(&prng);
    const auto again = Attributes::Parse(attributes.ToString());
    ASSERT_TRUE(again.ok()) << attributes << " " << again.status();
    ASSERT_EQ(*again, attributes) << attributes;
  }
}

}  // namespace
}  // namespace proffer
