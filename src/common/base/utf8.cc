#include "common/base/utf8.h"

namespace proffer {
namespace {

bool IsTail(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

bool IsUtf8(absl::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto head = static_cast<unsigned char>(text[i]);
    if (head < 0x80) {
      ++i;
      continue;
    }
    const size_t length = head >= 0xF0 ? 4 : head >= 0xE0 ? 3 : 2;
    // 0x80 to 0xC1 begin nothing, or something that has a shorter form.
    if (head < 0xC2 || head > 0xF4 || text.size() - i < length) return false;
    for (size_t k = 1; k < length; ++k) {
      if (!IsTail(text[i + k])) return false;
    }
    const auto second = static_cast<unsigned char>(text[i + 1]);
    if (head == 0xE0 && second < 0xA0) return false;  // Has a shorter form.
    if (head == 0xED && second > 0x9F) return false;  // A surrogate.
    if (head == 0xF0 && second < 0x90) return false;  // Has a shorter form.
    if (head == 0xF4 && second > 0x8F) return false;  // Above U+10FFFF.
    i += length;
  }
  return true;
}

void CutUtf8(size_t most, std::string* text) {
  if (text->size() <= most) return;
  while (most > 0 && IsTail((*text)[most])) --most;
  text->resize(most);
}

}  // namespace proffer
