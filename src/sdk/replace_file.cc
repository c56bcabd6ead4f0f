// Atomic replacement of small files.
#include "sdk/replace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

namespace proffer::sdk {
namespace {

absl::Status Failed(const char* what, const std::string& path) {
  return absl::UnavailableError(absl::StrCat("cannot ", what, " ", path, ": ", strerror(errno)));
}

absl::Status WriteAll(int fd, absl::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Failed("write", path);
    content.remove_prefix(written);
  }
  return fsync(fd) == 0 ? absl::OkStatus() : Failed("sync", path);
}

}  // namespace

absl::Status ReplaceFile(const std::string& path, absl::string_view content) {
  const std::string beside = path + ".new";
  const int fd = open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return Failed("create", beside);
  const absl::Status written = WriteAll(fd, content, beside);
  close(fd);
  if (!written.ok()) return written;
  if (rename(beside.c_str(), path.c_str()) != 0) return Failed("replace", path);
  const size_t slash = path.rfind('/');
  std::string directory = ".";
  if (slash != std::string::npos) directory = slash == 0 ? "/" : path.substr(0, slash);
  const int dir = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir < 0) return Failed("open", directory);
  const bool synced = fsync(dir) == 0;
  const absl::Status status = synced ? absl::OkStatus() : Failed("sync", directory);
  close(dir);
  return status;
}

}  // namespace proffer::sdk
