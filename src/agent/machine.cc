#include "agent/machine.h"

#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace proffer::agent {
namespace {

// What is left for tasks when the system keeps `reserve`, or half of little.
int64_t LeaveReserve(int64_t total, int64_t reserve) {
  return total >= 2 * reserve ? total - reserve : total / 2;
}

}  // namespace

absl::StatusOr<Resources> DetectResources(const std::string& work_dir) {
  const int64_t cpus = std::max<int64_t>(sysconf(_SC_NPROCESSORS_ONLN), 1);
  const int64_t mem = sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGE_SIZE);
  struct statvfs fs;
  if (statvfs(work_dir.c_str(), &fs) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("size of ", work_dir));
  }
  const int64_t disk = static_cast<int64_t>(fs.f_blocks) * static_cast<int64_t>(fs.f_frsize);
  return Resources::Parse(absl::StrCat("cpus:", cpus, ";mem:", LeaveReserve(mem, 1LL << 30),
                                       "B;disk:", LeaveReserve(disk, 5LL << 30),
                                       "B;ports:[31000-31999]"));
}

absl::StatusOr<std::string> ReadBootId() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  if (!std::getline(file, id)) return absl::NotFoundError("the kernel does not tell its boot id");
  return std::string(absl::StripAsciiWhitespace(id));
}

std::string Hostname() {
  char name[256] = {};
  if (gethostname(name, sizeof(name) - 1) != 0 || name[0] == '\0') return "localhost";
  return name;
}

}  // namespace proffer::agent
