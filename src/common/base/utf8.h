// Texts that protocols carry are UTF-8: a proto string that is not cannot be read by the other
// side.
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace proffer {

// By Unicode's own rules: shortest forms only, no surrogates, nothing above U+10FFFF.
bool IsUtf8(absl::string_view text);

// Leaves the characters that fit whole into `most` bytes. REQUIRES: *text is UTF-8.
void CutUtf8(size_t most, std::string* text);

}  // namespace proffer
