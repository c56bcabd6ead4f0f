// A directory of mode 0700 that is gone with its owner.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace proffer::rpc {

class Directory {
 public:
  Directory() {
    std::string name = (std::filesystem::temp_directory_path() / "proffer_rpc_XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  std::string operator/(const std::string& below) const { return (path_ / below).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace proffer::rpc
