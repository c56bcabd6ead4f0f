#include "isolator/fake_kernel.h"

#include <errno.h>

namespace proffer::isolator {

int FakeKernel::Told(const std::string& path) const {
  const auto error = errors.find(path);
  return error == errors.end() ? 0 : error->second;
}

int FakeKernel::MakeDirectory(const std::string& path) {
  done.push_back("mkdir " + path);
  if (const int error = Told(path)) return error;
  return directories.insert(path).second ? 0 : EEXIST;
}

int FakeKernel::RemoveDirectory(const std::string& path) {
  done.push_back("rmdir " + path);
  if (const int error = Told(path)) return error;
  return directories.erase(path) != 0 ? 0 : ENOENT;
}

int FakeKernel::Write(const std::string& path, const std::string& text) {
  done.push_back("write " + path + " " + text);
  return Told(path);
}

int FakeKernel::Read(const std::string& path, std::string* text) {
  text->clear();
  if (const int error = Told(path)) return error;
  const auto file = files.find(path);
  if (file == files.end()) return ENOENT;
  *text = file->second;
  return 0;
}

int FakeKernel::Subdirectories(const std::string& path, std::vector<std::string>* names) {
  names->clear();
  if (const int error = Told(path)) return error;
  for (const std::string& directory : directories) {
    if (directory.size() > path.size() + 1 && directory.compare(0, path.size(), path) == 0 &&
        directory[path.size()] == '/' &&
        directory.find('/', path.size() + 1) == std::string::npos) {
      names->push_back(directory.substr(path.size() + 1));
    }
  }
  return 0;
}

int FakeKernel::Kill(int pid) {
  done.push_back("kill " + std::to_string(pid));
  return Told(std::to_string(pid));
}

}  // namespace proffer::isolator
