// Reading rotated logs. The directory belongs to the task's user, so nothing in it is trusted: only
// regular files with one name are read, and no number is believed that the files do not bear out.
#include "agent/log_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "launcher/wire.h"

namespace proffer::agent {
namespace {

constexpr int kMostFiles = 100;

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)), size(other.size) {}
  File& operator=(File&&) = delete;
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }

 private:
  int fd_;

 public:
  int64_t size = 0;
};

int OpenRegular(int directory, const std::string& name, int64_t* size) {
  const int fd = openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return -1;
  struct stat facts;
  if (fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_nlink > 1) {
    close(fd);
    errno = EINVAL;
    return -1;
  }
  *size = facts.st_size;
  return fd;
}

// False while a rotation is under way.
bool ReadOffset(int directory, const std::string& name, launcher::LogOffset* offset) {
  *offset = launcher::LogOffset();
  int64_t size = 0;
  const int fd = OpenRegular(directory, absl::StrCat(".", name, ".offset"), &size);
  if (fd < 0) return true;  // Never rotated.
  const ssize_t got = pread(fd, offset, sizeof(*offset), 0);
  close(fd);
  return got == sizeof(*offset) && offset->before == offset->after && offset->before % 2 == 0;
}

// One attempt to see all files between two rotations.
absl::StatusOr<bool> OpenAll(int directory, const std::string& name, std::vector<File>* files,
                             int64_t* base) {
  files->clear();
  launcher::LogOffset before;
  if (!ReadOffset(directory, name, &before)) return false;
  for (int i = 0; i < kMostFiles; ++i) {
    int64_t size = 0;
    const int fd = OpenRegular(directory, i == 0 ? name : absl::StrCat(name, ".", i), &size);
    if (fd < 0) {
      if (errno == ENOENT && i > 0) break;
      if (i == 0 && errno == ENOENT) {
        launcher::LogOffset again;
        if (!ReadOffset(directory, name, &again) || again.after != before.after) return false;
      }
      return absl::ErrnoToStatus(errno, absl::StrCat("cannot read ", name, " of the sandbox"));
    }
    files->emplace_back(fd);
    files->back().size = size;
  }
  launcher::LogOffset after;
  if (!ReadOffset(directory, name, &after) || after.after != before.after) return false;
  *base = static_cast<int64_t>(std::min<uint64_t>(after.base, uint64_t{1} << 62));
  return true;
}

}  // namespace

absl::StatusOr<LogPiece> ReadLog(int directory_fd, const std::string& name, int64_t offset,
                                 size_t max_bytes) {
  std::vector<File> files;  // The newest first.
  int64_t base = 0;
  bool steady = false;
  // A rotation takes microseconds; one that never ends was cut off with its shim.
  for (int tries = 0; tries < 200 && !steady; ++tries) {
    if (tries > 10) {
      const timespec moment{0, 1'000'000};
      nanosleep(&moment, nullptr);
    }
    ASSIGN_OR_RETURN(steady, OpenAll(directory_fd, name, &files, &base));
  }
  if (!steady) return absl::UnavailableError("the log is being rotated; ask again");

  LogPiece piece;
  piece.end = base + files[0].size;
  if (offset < 0) offset = std::max<int64_t>(0, piece.end + std::max(offset, -piece.end));
  piece.offset = std::min(offset, piece.end);
  // From the newest file back to the one that holds the offset, or the oldest there is.
  int64_t start = base;
  size_t at = 0;
  while (start > piece.offset && at + 1 < files.size() && files[at + 1].size <= start) {
    start -= files[++at].size;
  }
  piece.offset = std::max(piece.offset, start);
  for (;;) {
    const int64_t within = piece.offset + static_cast<int64_t>(piece.data.size()) - start;
    const int64_t left = files[at].size - within;
    const size_t want = std::min<int64_t>(left, max_bytes - piece.data.size());
    if (want > 0) {
      const size_t had = piece.data.size();
      piece.data.resize(had + want);
      const ssize_t got = pread(files[at].fd(), piece.data.data() + had, want, within);
      piece.data.resize(had + std::max<ssize_t>(0, got));
      if (got != static_cast<ssize_t>(want)) return piece;
    }
    if (piece.data.size() == max_bytes || at == 0) return piece;
    start += files[at--].size;
  }
}

}  // namespace proffer::agent
