// Deletes a directory that belonged to somebody hostile: never follows a symlink, never enters a
// mount, needs no more descriptors for a deep tree than for a flat one.
#pragma once

#include <string>

namespace proffer::isolator {

// Deletes `name` in the directory `parent_fd` with all it contains. What cannot be deleted, a mount
// point above all, is left and named in what is returned; everything else goes, and then it is "".
std::string DeleteTree(int parent_fd, const std::string& name);
// The same for a relative path below `root_fd`, whose directories are entered as carefully, and go
// too when they have become empty.
std::string DeleteTreeBelow(int root_fd, const std::string& path);

}  // namespace proffer::isolator
