#include "chaos/replica_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/status.h"

namespace proffer::chaos {
namespace {

// How often one looks whether its turn has come; neither a lock of a file store nor the age of a
// file wakes anybody.
constexpr useconds_t kLookUs = 100'000;

class WaitingStore final : public ReplicaStore {
 public:
  explicit WaitingStore(const std::string& path) : file_(path) {}

  absl::Status Acquire() override {
    while (true) {
      absl::StatusOr<std::map<std::string, std::string>> loaded = file_.Load();
      if (loaded.ok()) loaded_ = *std::move(loaded);
      if (!absl::IsFailedPrecondition(loaded.status())) return loaded.status();
      usleep(kLookUs);
    }
  }
  absl::Status Write(const std::vector<StateChange>& changes) override {
    return file_.Write(changes);
  }

 private:
  FileStateStore file_;
};

// Held for a moment at a time; let go of with the process.
class FileLock {
 public:
  explicit FileLock(const std::string& path)
      : fd_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    while (flock(fd_, LOCK_EX) != 0) {
    }
  }
  ~FileLock() { close(fd_); }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  const int fd_;
};

class FencedStore final : public ReplicaStore {
 public:
  FencedStore(std::string path, std::string heartbeat, int64_t stale_ms)
      : path_(std::move(path)), heartbeat_(std::move(heartbeat)), stale_ms_(stale_ms) {}

  absl::Status Acquire() override {
    while (true) {
      if (IsStale()) {
        const FileLock lock(path_ + ".fence-lock");
        // Two that waited may both have seen it.
        if (IsStale()) return Take();
      }
      usleep(kLookUs);
    }
  }
  absl::Status Write(const std::vector<StateChange>& changes) override {
    const FileLock lock(path_ + ".fence-lock");
    if (const int64_t found = Fence(); found != fence_) {
      return absl::FailedPreconditionError(
          absl::StrCat(path_, ": taken over, fence ", found, " after ", fence_));
    }
    FileStateStore file(path_);
    RETURN_IF_ERROR(file.Load().status());
    return file.Write(changes);
  }

 private:
  bool IsStale() const {
    struct stat at {};
    if (stat(heartbeat_.c_str(), &at) != 0) return true;
    return UnixNowMs() - (at.st_mtim.tv_sec * 1'000 + at.st_mtim.tv_nsec / 1'000'000) > stale_ms_;
  }
  int64_t Fence() const {
    int64_t fence = 0;
    std::ifstream(path_ + ".fence") >> fence;
    return fence;
  }
  absl::Status Take() {
    fence_ = Fence() + 1;
    const std::string next = path_ + ".fence-next";
    std::ofstream(next) << fence_ << "\n";
    if (rename(next.c_str(), (path_ + ".fence").c_str()) != 0) return absl::InternalError("rename");
    std::ofstream(heartbeat_) << fence_ << "\n";
    FileStateStore file(path_);
    ASSIGN_OR_RETURN(loaded_, file.Load());
    return absl::OkStatus();
  }

  const std::string path_;
  const std::string heartbeat_;
  const int64_t stale_ms_;
  int64_t fence_ = 0;
};

}  // namespace

std::unique_ptr<ReplicaStore> MakeWaitingStore(const std::string& path) {
  return std::make_unique<WaitingStore>(path);
}
std::unique_ptr<ReplicaStore> MakeFencedStore(const std::string& path, const std::string& heartbeat,
                                              int64_t stale_ms) {
  return std::make_unique<FencedStore>(path, heartbeat, stale_ms);
}

}  // namespace proffer::chaos
