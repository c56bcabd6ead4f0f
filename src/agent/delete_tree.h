// Deletes a directory that belonged to somebody hostile: never follows a symlink, never enters a
// mount, needs no more descriptors for a deep tree than for a flat one.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace proffer::agent {

// Deletes `name` in the directory `parent_fd` with all it contains. What cannot be deleted, a mount
// point above all, is left and named in the error; everything else goes.
absl::Status DeleteTree(int parent_fd, const std::string& name);

}  // namespace proffer::agent
