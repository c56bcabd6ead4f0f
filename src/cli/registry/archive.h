// A registry as a file: a line a record, so that it can be looked at, compared and kept.
//
//   proffer-registry 1
//   KEY BASE64            the record as it is stored, with type, version and checksum
//   …
//   end COUNT
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace proffer::cli {

using Records = std::vector<std::pair<std::string, std::string>>;

std::string ToArchive(const Records& records);
// DATA_LOSS names the line that is not of this form, the record that is damaged, or that the end is
// missing.
absl::StatusOr<Records> FromArchive(absl::string_view text);

}  // namespace proffer::cli
