// What a proto string may hold, and where it may be cut.
#include "common/base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace proffer {
namespace {

TEST(Utf8, TakesEveryCharacterInItsShortestForm) {
  for (const char* text :
       {"", "a", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
        "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "a\xC3\xA9z"}) {
    EXPECT_TRUE(IsUtf8(text)) << text;
  }
  EXPECT_TRUE(IsUtf8(std::string(3, '\0')));
}

TEST(Utf8, RefusesWhatIsNone) {
  for (const char* text :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2z", "\xE0\x9F\xBF", "\xE0\xA0",
        "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",
        "\xF0\x90\x80", "\xFF", "ok\xFE"}) {
    EXPECT_FALSE(IsUtf8(text)) << testing::PrintToString(text);
  }
}

TEST(Utf8, IsCutBetweenCharacters) {
  const std::string whole = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x90\xA2";  // 1, 2, 3 and 4 bytes.
  const size_t kept[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
  for (size_t most = 0; most < std::size(kept); ++most) {
    std::string text = whole;
    CutUtf8(most, &text);
    EXPECT_EQ(text.size(), kept[most]) << most;
    EXPECT_TRUE(IsUtf8(text)) << most;
  }
}

}  // namespace
}  // namespace proffer
