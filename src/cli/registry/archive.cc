#include "cli/registry/archive.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/status.h"
#include "common/convert/record.h"

namespace proffer::cli {
namespace {

constexpr char kHeader[] = "proffer-registry 1";

}  // namespace

std::string ToArchive(const Records& records) {
  std::string text = absl::StrCat(kHeader, "\n");
  for (const auto& [key, value] : records) {
    absl::StrAppend(&text, key, " ", absl::Base64Escape(value), "\n");
  }
  absl::StrAppend(&text, "end ", records.size(), "\n");
  return text;
}

absl::StatusOr<Records> FromArchive(absl::string_view text) {
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n', absl::SkipEmpty());
  if (lines.empty() || lines[0] != kHeader) {
    return absl::DataLossError(absl::StrCat("expected a file that begins with \"", kHeader,
                                            "\", as `proffer registry export` writes it; found \"",
                                            lines.empty() ? "" : lines[0].substr(0, 80), "\""));
  }
  Records records;
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::pair<absl::string_view, absl::string_view> field =
        absl::StrSplit(lines[i], absl::MaxSplits(' ', 1));
    if (field.first == "end" && i + 1 == lines.size()) {
      if (field.second == absl::StrCat(records.size())) return records;
      return absl::DataLossError(absl::StrCat("the file should hold ", field.second,
                                              " records, and holds ", records.size()));
    }
    std::string value;
    if (field.first.empty() || !absl::Base64Unescape(field.second, &value)) {
      return absl::DataLossError(
          absl::StrCat("line ", i + 1, " is no record; expected KEY BASE64"));
    }
    RETURN_IF_ERROR(convert::OpenRecord(field.first, value).status());
    records.emplace_back(std::string(field.first), std::move(value));
  }
  return absl::DataLossError(
      "the file has no last line \"end COUNT\": it was cut short; export the registry again");
}

}  // namespace proffer::cli
