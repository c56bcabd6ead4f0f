// Opening a directory by its real name.
#pragma once

#include <string>

namespace proffer::isolator {

// Opens a directory of whose path no component is a link: parts of the path belong to somebody who
// is not trusted. -1 with errno; ELOOP: there is a link.
int OpenRealDirectory(const std::string& path);

}  // namespace proffer::isolator
