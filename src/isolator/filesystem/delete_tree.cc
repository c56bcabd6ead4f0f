// Deletion by flattening: a directory inside the tree is moved to its top and emptied there.
#include "isolator/filesystem/delete_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <deque>
#include <utility>
#include <vector>

namespace proffer::isolator {
namespace {

// Opens a directory that is on the same mount as `parent`. -1 with errno; EXDEV: it is a mount.
int OpenDirectory(int parent, const std::string& name) {
  open_how how = {};
  how.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH;
  for (int attempt = 0; attempt < 2; ++attempt) {
    int fd = static_cast<int>(syscall(SYS_openat2, parent, name.c_str(), &how, sizeof(how)));
    if (fd < 0 && errno == ENOSYS) {
      // An older kernel: other devices are still told apart, binds of the same one fail to be
      // removed with EBUSY.
      struct stat above;
      struct stat self;
      fd = openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      if (fd >= 0 &&
          (fstat(parent, &above) != 0 || fstat(fd, &self) != 0 || above.st_dev != self.st_dev)) {
        close(fd);
        errno = EXDEV;
        return -1;
      }
    }
    if (fd >= 0 || errno != EACCES) return fd;
    // The owner may have taken its own rights away. Only our own links and directories are
    // changed: fchmodat would follow a symlink, so the path is opened first.
    const int path = openat(parent, name.c_str(), O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
    if (path < 0) return -1;
    chmod(("/proc/self/fd/" + std::to_string(path)).c_str(), 0700);
    close(path);
  }
  return -1;
}

struct Emptying {
  int top = -1;
  std::deque<std::string> moved;  // Directories of the top that are to be emptied and removed.
  uint64_t next = 0;
  std::vector<std::string> left;  // What could not be deleted, and why.
};

void Leave(Emptying* work, const std::string& name) {
  if (work->left.size() < 5) work->left.push_back(name + ": " + strerror(errno));
}

// Deletes what is in `directory` (closed by this); what is a directory itself is moved to the top.
void Empty(int directory, Emptying* work, const std::string& shown) {
  DIR* stream = fdopendir(directory);
  if (stream == nullptr) {
    Leave(work, shown);
    close(directory);
    return;
  }
  const int self = dirfd(stream);
  std::vector<std::string> names;
  while (const dirent* entry = readdir(stream)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  for (const std::string& name : names) {
    // Gone by itself is fine too: its owner may have been tidying up.
    if (unlinkat(self, name.c_str(), 0) == 0 || errno == ENOENT) continue;
    if (errno != EISDIR && errno != EPERM) {
      Leave(work, shown + "/" + name);
      continue;
    }
    if (unlinkat(self, name.c_str(), AT_REMOVEDIR) == 0) continue;
    if (errno != ENOTEMPTY && errno != EEXIST) {
      Leave(work, shown + "/" + name);
      continue;
    }
    // Its former owner may have taken any name on purpose.
    std::string moved;
    bool done = false;
    for (int tries = 0; tries < 1000 && !done; ++tries) {
      moved = ".proffer-deleting-" + std::to_string(work->next++);
      done = renameat(self, name.c_str(), work->top, moved.c_str()) == 0;
      if (!done && errno != EEXIST && errno != ENOTEMPTY && errno != ENOTDIR) break;
    }
    if (done) {
      work->moved.push_back(moved);
    } else {
      Leave(work, shown + "/" + name);
    }
  }
  closedir(stream);
}

}  // namespace

std::string DeleteTree(int parent_fd, const std::string& name) {
  if (unlinkat(parent_fd, name.c_str(), 0) == 0 || errno == ENOENT) return "";
  Emptying work;
  work.top = OpenDirectory(parent_fd, name);
  if (work.top < 0) {
    return "left alone: " + name + ": " + strerror(errno) +
           (errno == EXDEV ? " (it is a mount point; unmount it)" : "");
  }
  fchmod(work.top, 0700);
  const int again = openat(work.top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (again >= 0) Empty(again, &work, name);
  while (!work.moved.empty()) {
    const std::string moved = std::move(work.moved.front());
    work.moved.pop_front();
    const int fd = OpenDirectory(work.top, moved);
    if (fd < 0) {
      Leave(&work, moved);
      continue;
    }
    fchmod(fd, 0700);
    Empty(fd, &work, moved);
    if (unlinkat(work.top, moved.c_str(), AT_REMOVEDIR) != 0) Leave(&work, moved);
  }
  close(work.top);
  if (unlinkat(parent_fd, name.c_str(), AT_REMOVEDIR) != 0) Leave(&work, name);
  if (work.left.empty()) return "";
  std::string message = "left alone:";
  for (const std::string& one : work.left) message += " " + one + ";";
  message.pop_back();
  return message;
}

std::string DeleteTreeBelow(int root_fd, const std::string& path) {
  std::vector<int> above = {dup(root_fd)};
  std::vector<std::string> names;
  size_t at = 0;
  std::string left;
  for (size_t end; (end = path.find('/', at)) != std::string::npos; at = end + 1) {
    names.push_back(path.substr(at, end - at));
    const int next = OpenDirectory(above.back(), names.back());
    if (next < 0) {
      if (errno != ENOENT) left = path + ": " + strerror(errno);
      names.pop_back();
      break;
    }
    above.push_back(next);
  }
  if (at > path.rfind('/') || path.find('/') == std::string::npos) {
    left = DeleteTree(above.back(), path.substr(at));
  }
  // Those that have become empty go too.
  for (size_t i = names.size(); i > 0; --i) {
    close(above[i]);
    if (left.empty()) unlinkat(above[i - 1], names[i - 1].c_str(), AT_REMOVEDIR);
  }
  close(above[0]);
  return left;
}

}  // namespace proffer::isolator
