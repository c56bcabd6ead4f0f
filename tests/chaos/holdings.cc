#include "chaos/holdings.h"

#include <algorithm>
#include <filesystem>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "chaos/command.h"

namespace proffer::chaos {
namespace {

int CountEntries(const std::string& directory) {
  std::error_code error;
  int count = 0;
  for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end;
       at.increment(error)) {
    ++count;
  }
  return count;
}

}  // namespace

std::optional<Holdings> HoldingsOf(pid_t pid) {
  const std::string process = absl::StrCat("/proc/", pid);
  Holdings holdings;
  std::error_code error;
  for (std::filesystem::directory_iterator at(process + "/fd", error), end; !error && at != end;
       at.increment(error)) {
    std::error_code closed;  // Meanwhile.
    const std::string what = std::filesystem::read_symlink(at->path(), closed);
    if (closed) continue;
    ++(absl::StartsWith(what, "socket:") ? holdings.sockets : holdings.files);
  }
  if (error) return std::nullopt;
  holdings.threads = CountEntries(process + "/task");
  const std::string mounts = ReadWhole(process + "/mountinfo");
  holdings.mounts = static_cast<int>(std::count(mounts.begin(), mounts.end(), '\n'));
  if (holdings.threads == 0 || holdings.mounts == 0) return std::nullopt;
  return holdings;
}

}  // namespace proffer::chaos
