#include "isolator/filesystem/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace proffer::isolator {

int OpenRealDirectory(const std::string& path) {
  open_how how = {};
  how.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_NO_SYMLINKS;
  const int fd = static_cast<int>(syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof(how)));
  if (fd >= 0 || errno != ENOSYS) return fd;
  // Kernels before 5.6: one component after the other.
  int at = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (size_t begin = 1; at >= 0 && begin < path.size();) {
    size_t end = path.find('/', begin);
    if (end == std::string::npos) end = path.size();
    const int next = openat(at, path.substr(begin, end - begin).c_str(),
                            O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    const int error = errno;
    close(at);
    errno = error == ENOTDIR ? ELOOP : error;
    at = next;
    begin = end + 1;
  }
  return at;
}

void MakePath(const std::string& path, mode_t mode) {
  for (size_t at = 1; at != std::string::npos;) {
    at = path.find('/', at + 1);
    mkdir(path.substr(0, at).c_str(), at == std::string::npos ? mode : 0755);
  }
}

}  // namespace proffer::isolator
