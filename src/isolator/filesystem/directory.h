// Directories by their paths.
#pragma once

#include <sys/types.h>

#include <string>

namespace proffer::isolator {

// Opens a directory of whose path no component is a link: parts of the path belong to somebody who
// is not trusted. -1 with errno; ELOOP: there is a link.
int OpenRealDirectory(const std::string& path);

// Makes what is missing of an absolute path: the last directory with this mode, those above with
// 0755. What cannot be made shows when the path is used.
void MakePath(const std::string& path, mode_t mode);

}  // namespace proffer::isolator
