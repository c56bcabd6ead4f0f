#include "cli/dev/place.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <filesystem>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace proffer::cli {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kTaskGraceMs = 500;
constexpr size_t kLongestBase = 80;  // So that sockets below it fit an address.

// Nobody else may list or change it. Root's may be passed through: tasks of other users have
// sandboxes below.
absl::Status MakePrivate(const std::string& directory) {
  if (mkdir(directory.c_str(), geteuid() == 0 ? 0711 : 0700) != 0 && errno != EEXIST) {
    return absl::ErrnoToStatus(errno, absl::StrCat("could not make ", directory));
  }
  struct stat info;
  if (lstat(directory.c_str(), &info) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("could not look at ", directory));
  }
  if (!S_ISDIR(info.st_mode) || info.st_uid != geteuid() || (info.st_mode & 066) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(directory, " is not a directory of yours that nobody else may read or change ",
                     "(mode 0700); remove it, or set XDG_RUNTIME_DIR to a private directory"));
  }
  chmod(directory.c_str(), geteuid() == 0 ? 0711 : 0700);  // As an older one may have it.
  return absl::OkStatus();
}

// -1: somebody else holds it, or there is none.
int TryLock(const std::string& path, bool wait) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return -1;
  if (flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB)) == 0) return fd;
  close(fd);
  return -1;
}

bool IsLocked(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return false;
  const bool locked = flock(fd, LOCK_SH | LOCK_NB) != 0;
  close(fd);
  return locked;
}

// The cgroups of containers, which their launchers may not have lived to remove.
void CleanContainers(const std::string& directory) {
  std::error_code error;
  const fs::path launcher =
      fs::read_symlink("/proc/self/exe", error).parent_path() / "proffer-launcher";
  for (const auto& entry : fs::directory_iterator(directory + "/l", error)) {
    if (entry.path().extension() != ".conf") continue;
    DaemonSpec spec;
    spec.argv = {launcher.string(), "--config=" + entry.path().string(), "--clean"};
    spec.log_path = directory + "/l/clean.log";
    const absl::StatusOr<ProcessStamp> process = StartDaemon(spec);
    if (process.ok()) waitpid(process->pid, nullptr, 0);
  }
}

void RemoveTree(const std::string& path) {
  std::error_code ignored;
  fs::remove_all(path, ignored);  // Does not follow links.
}

}  // namespace

std::string DevBase(const Context& context) {
  const std::string runtime = context.environment("XDG_RUNTIME_DIR");
  if (!runtime.empty() && runtime[0] == '/' && runtime.size() < kLongestBase &&
      access(runtime.c_str(), W_OK) == 0) {
    return absl::StrCat(runtime, "/proffer-dev");
  }
  return absl::StrCat("/tmp/proffer-dev-", geteuid());
}

std::vector<DevPlace> FindDevPlaces(const std::string& base) {
  std::vector<DevPlace> places;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(base, ignored)) {
    DevPlace place;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &place.number)) continue;
    place.directory = entry.path().string();
    place.running = IsLocked(place.directory + "/lock");
    const absl::StatusOr<ProcessStamp> stamp = ReadStamp(place.directory + "/dev.pid");
    if (stamp.ok()) place.process = *stamp;
    places.push_back(std::move(place));
  }
  std::sort(places.begin(), places.end(),
            [](const DevPlace& a, const DevPlace& b) { return a.number < b.number; });
  return places;
}

Belongings BelongingsOf(const DevPlace& place) {
  Belongings belongings;
  belongings.directory = place.directory;
  belongings.work_dirs.push_back(place.state());
  // The same by its real name, if it is a link.
  char real[PATH_MAX];
  if (realpath(place.state().c_str(), real) != nullptr) belongings.work_dirs.emplace_back(real);
  return belongings;
}

ClaimedPlace::ClaimedPlace(std::string base, DevPlace place, int lock)
    : base_(std::move(base)), place_(std::move(place)), lock_(lock) {}

absl::StatusOr<std::unique_ptr<ClaimedPlace>> ClaimedPlace::Claim(
    const std::string& base, const std::string& keep, std::vector<std::string>* removed) {
  RETURN_IF_ERROR(MakePrivate(base));
  const int claims = TryLock(base + "/lock", true);
  if (claims < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("could not lock ", base, "/lock"));
  }
  int free_number = 1;
  for (const DevPlace& place : FindDevPlaces(base)) {
    if (place.running) {
      if (place.number == free_number) ++free_number;
      continue;
    }
    const int killed = KillEverythingOf(BelongingsOf(place), 0);
    CleanContainers(place.directory);
    RemoveTree(place.directory);
    removed->push_back(absl::StrCat(
        place.directory, killed == 0 ? "" : absl::StrCat(" and ", killed, " processes")));
  }
  DevPlace place;
  place.number = free_number;
  place.directory = absl::StrCat(base, "/", free_number);
  place.running = true;
  place.process = {getpid(), StartOf(getpid())};
  absl::Status made = MakePrivate(place.directory);
  int lock = -1;
  if (made.ok()) {
    lock = TryLock(place.directory + "/lock", false);
    made = WriteStamp(place.directory + "/dev.pid", place.process);
  }
  if (made.ok() && !keep.empty()) {
    std::error_code error;
    fs::create_directories(keep, error);
    const std::string absolute = fs::absolute(keep, error).lexically_normal().string();
    if (symlink(absolute.c_str(), place.state().c_str()) != 0 || access(keep.c_str(), W_OK) != 0) {
      made = absl::ErrnoToStatus(errno, absl::StrCat("--keep ", keep));
    }
  } else if (made.ok()) {
    made = MakePrivate(place.state());
  }
  close(claims);
  if (!made.ok()) {
    if (lock >= 0) close(lock);
    RemoveTree(place.directory);
    return made;
  }
  return std::unique_ptr<ClaimedPlace>(new ClaimedPlace(base, std::move(place), lock));
}

ClaimedPlace::~ClaimedPlace() {
  KillEverythingOf(BelongingsOf(place_), kTaskGraceMs);
  CleanContainers(place_.directory);
  RemoveTree(place_.directory);
  if (lock_ >= 0) close(lock_);
}

}  // namespace proffer::cli
