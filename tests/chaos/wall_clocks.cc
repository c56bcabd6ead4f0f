#include "chaos/wall_clocks.h"

#include <fcntl.h>
#include <glog/logging.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

namespace proffer::chaos {
namespace {

// In one write of eight bytes, which whoever looks sees whole.
void WriteOffset(const std::string& path, int64_t offset_ms) {
  const int64_t ns = offset_ms * 1'000'000;
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  PCHECK(fd >= 0 && pwrite(fd, &ns, sizeof(ns), 0) == static_cast<ssize_t>(sizeof(ns))) << path;
  close(fd);
}

}  // namespace

WallClocks::WallClocks(std::string directory, std::string library)
    : directory_(std::move(directory)), library_(std::move(library)) {
  std::filesystem::create_directories(directory_);
}

std::vector<std::string> WallClocks::Wear(const std::string& daemon) {
  offsets_ms_[daemon] = 0;
  WriteOffset(PathOf(daemon), 0);
  return {"env", "LD_PRELOAD=" + library_, "PROFFER_WRONG_CLOCK=" + PathOf(daemon)};
}

void WallClocks::Set(const std::map<std::string, int64_t>& offsets_ms) {
  for (auto& [daemon, offset_ms] : offsets_ms_) {
    const auto found = offsets_ms.find(daemon);
    const int64_t wanted_ms = found == offsets_ms.end() ? 0 : found->second;
    if (wanted_ms == offset_ms) continue;
    offset_ms = wanted_ms;
    WriteOffset(PathOf(daemon), wanted_ms);
  }
}

}  // namespace proffer::chaos
