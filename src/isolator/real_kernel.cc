// Plain system calls.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "isolator/kernel.h"

namespace proffer::isolator {
namespace {

class Real final : public Kernel {
 public:
  int MakeDirectory(const std::string& path) override {
    return mkdir(path.c_str(), 0755) == 0 ? 0 : errno;
  }
  int RemoveDirectory(const std::string& path) override {
    return rmdir(path.c_str()) == 0 ? 0 : errno;
  }
  int Write(const std::string& path, const std::string& text) override {
    const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) return errno;
    ssize_t written;
    do {
      written = write(fd, text.data(), text.size());
    } while (written < 0 && errno == EINTR);
    const int error = written < 0 ? errno : 0;
    close(fd);
    return error;
  }
  int Read(const std::string& path, std::string* text) override {
    text->clear();
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno;
    char buffer[4096];
    ssize_t got;
    while ((got = read(fd, buffer, sizeof(buffer))) > 0 || (got < 0 && errno == EINTR)) {
      if (got > 0) text->append(buffer, static_cast<size_t>(got));
    }
    const int error = got < 0 ? errno : 0;
    close(fd);
    return error;
  }
  int Subdirectories(const std::string& path, std::vector<std::string>* names) override {
    names->clear();
    DIR* stream = opendir(path.c_str());
    if (stream == nullptr) return errno;
    while (const dirent* entry = readdir(stream)) {
      const std::string name = entry->d_name;
      if (entry->d_type == DT_DIR && name != "." && name != "..") names->push_back(name);
    }
    closedir(stream);
    return 0;
  }
  int Kill(int pid) override { return kill(pid, SIGKILL) == 0 ? 0 : errno; }
};

}  // namespace

Kernel& RealKernel() {
  static Real kernel;
  return kernel;
}

}  // namespace proffer::isolator
