// Reads a task's output from any offset, across the rotation that its shim does meanwhile.
//
// Offsets count bytes since the task began. What has been rotated away is skipped: the piece then
// begins at a later offset than was asked for.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace proffer::agent {

struct LogPiece {
  int64_t offset = 0;  // Of the first byte of `data`.
  std::string data;    // Empty: there is nothing more for now.
  int64_t end = 0;     // Where the output ended when it was read.
};

// Reads at most `max_bytes` of the stream `name` ("stdout") in the sandbox `directory_fd`. A
// negative `offset` counts from the end. To follow, ask again from `offset + data.size()`.
absl::StatusOr<LogPiece> ReadLog(int directory_fd, const std::string& name, int64_t offset,
                                 size_t max_bytes);

}  // namespace proffer::agent
