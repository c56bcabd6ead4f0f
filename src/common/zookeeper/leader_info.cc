#include "common/zookeeper/leader_info.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace proffer::zk {
namespace {

constexpr char kHeader[] = "proffer-contender 1";

}  // namespace

std::string Serialize(const LeaderInfo& info) {
  std::string text = absl::StrCat(kHeader, "\ninstance ", info.instance, "\n");
  for (const std::string& address : info.addresses) {
    absl::StrAppend(&text, "address ", address, "\n");
  }
  if (!info.machine.empty()) absl::StrAppend(&text, "machine ", info.machine, "\n");
  absl::StrAppend(&text, "version ", info.version, "\n");
  if (!info.cluster_id.empty()) absl::StrAppend(&text, "cluster ", info.cluster_id, "\n");
  return text;
}

absl::StatusOr<LeaderInfo> ParseLeaderInfo(absl::string_view text) {
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n', absl::SkipEmpty());
  if (lines.empty() || lines[0] != kHeader) {
    return absl::DataLossError(absl::StrCat("expected a contender's node to begin with \"", kHeader,
                                            "\", found \"",
                                            lines.empty() ? "" : lines[0].substr(0, 80),
                                            "\"; is this the chroot of a Proffer cluster?"));
  }
  LeaderInfo info;
  for (absl::string_view line : lines) {
    const std::pair<absl::string_view, absl::string_view> field =
        absl::StrSplit(line, absl::MaxSplits(' ', 1));
    if (field.first == "instance") info.instance = std::string(field.second);
    if (field.first == "address") info.addresses.emplace_back(field.second);
    if (field.first == "machine") info.machine = std::string(field.second);
    if (field.first == "version") info.version = std::string(field.second);
    if (field.first == "cluster") info.cluster_id = std::string(field.second);
  }
  if (info.instance.empty() || info.addresses.empty()) {
    return absl::DataLossError("a contender's node names no instance or no address");
  }
  return info;
}

}  // namespace proffer::zk
