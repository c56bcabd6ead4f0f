// Copying and rotating. The directory belongs to the task's user, who may do anything in it at any
// time: names are never followed and existing files never opened.
#include "launcher/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace proffer::launcher {
namespace {

int CreateFresh(int directory, const std::string& name, uint32_t uid, uint32_t gid) {
  for (int attempt = 0; attempt < 8; ++attempt) {
    const int fd =
        openat(directory, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd >= 0) {
      if (geteuid() == 0 && fchown(fd, uid, gid) != 0) {
        // It stays ours: readable all the same.
      }
      return fd;
    }
    if (errno != EEXIST) return -1;
    unlinkat(directory, name.c_str(), 0);
  }
  return -1;
}

}  // namespace

LogFile::~LogFile() {
  if (file_ >= 0) close(file_);
  if (offset_file_ >= 0) close(offset_file_);
}

bool LogFile::Open(int directory_fd, const std::string& name, uint64_t file_bytes, uint32_t files,
                   uint32_t uid, uint32_t gid) {
  directory_ = directory_fd;
  name_ = name;
  file_bytes_ = std::max<uint64_t>(file_bytes, 4096);
  files_ = std::max<uint32_t>(files, 1);
  uid_ = uid;
  gid_ = gid;
  return Create();
}

bool LogFile::Create() {
  if (file_ >= 0) close(file_);
  file_ = CreateFresh(directory_, name_, uid_, gid_);
  size_ = 0;
  return file_ >= 0;
}

void LogFile::WriteOffset(uint64_t before, uint64_t after) {
  offset_.before = before;
  offset_.after = after;
  // The machine is little-endian wherever this runs; the layout is that of wire.h.
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
  if (pwrite(offset_file_, &offset_, sizeof(offset_), 0) != sizeof(offset_)) {
    // Readers then count from the last rotation that was written.
  }
}

void LogFile::Rotate() {
  // Most tasks never rotate, so the file of the offset is made only now.
  if (offset_file_ < 0) {
    offset_file_ = CreateFresh(directory_, "." + name_ + ".offset", uid_, gid_);
  }
  const uint64_t sequence = offset_.after;
  if (offset_file_ >= 0) WriteOffset(sequence + 1, sequence);
  for (uint32_t i = files_ - 1; i >= 1; --i) {
    const std::string from = i == 1 ? name_ : name_ + "." + std::to_string(i - 1);
    renameat(directory_, from.c_str(), directory_, (name_ + "." + std::to_string(i)).c_str());
  }
  if (files_ == 1) unlinkat(directory_, name_.c_str(), 0);
  offset_.base += size_;
  Create();
  if (offset_file_ >= 0) WriteOffset(sequence + 2, sequence + 2);
}

void LogFile::Append(const char* data, size_t size) {
  while (size > 0) {
    if (size_ >= file_bytes_) Rotate();
    if (file_ < 0) return;
    const size_t room = std::min<uint64_t>(size, file_bytes_ - size_);
    const ssize_t written = write(file_, data, room);
    if (written < 0) {
      if (errno == EINTR) continue;
      return;  // The disk is full: lost, and the task must not wait for it.
    }
    size_ += static_cast<uint64_t>(written);
    data += written;
    size -= static_cast<size_t>(written);
  }
}

bool LogFile::CopyFrom(int pipe, size_t max_bytes) {
  char buffer[64 * 1024];
  for (size_t copied = 0; copied < max_bytes;) {
    const ssize_t got = read(pipe, buffer, sizeof(buffer));
    if (got == 0) return false;
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    Append(buffer, static_cast<size_t>(got));
    copied += static_cast<size_t>(got);
    if (static_cast<size_t>(got) < sizeof(buffer)) return true;
  }
  return true;
}

}  // namespace proffer::launcher
