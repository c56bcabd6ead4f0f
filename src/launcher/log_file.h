// One output stream of a task, copied from its pipe into rotated files of the sandbox.
#pragma once

#include <cstdint>
#include <string>

#include "launcher/wire.h"

namespace proffer::launcher {

class LogFile {
 public:
  LogFile() = default;
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;
  ~LogFile();

  // Creates the file `name` in the directory `directory_fd`, to be owned by the task's user.
  // False, with errno, if it cannot.
  bool Open(int directory_fd, const std::string& name, uint64_t file_bytes, uint32_t files,
            uint32_t uid, uint32_t gid);

  // Copies what can be read from `pipe` now, at most `max_bytes`. False at its end.
  bool CopyFrom(int pipe, size_t max_bytes);

 private:
  bool Create();
  void Rotate();
  void WriteOffset(uint64_t sequence_before, uint64_t sequence_after);
  void Append(const char* data, size_t size);

  int directory_ = -1;
  std::string name_;
  uint64_t file_bytes_ = 0;
  uint32_t files_ = 1;
  uint32_t uid_ = 0;
  uint32_t gid_ = 0;
  int file_ = -1;  // -1 after a failed rotation: what comes is lost, the task goes on.
  int offset_file_ = -1;
  uint64_t size_ = 0;  // Of the current file.
  LogOffset offset_;
};

}  // namespace proffer::launcher
