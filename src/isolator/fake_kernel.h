// A kernel made of a map, for tests: directories, control files and what was done, in order.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "isolator/kernel.h"

namespace proffer::isolator {

class FakeKernel final : public Kernel {
 public:
  std::set<std::string> directories;
  std::map<std::string, std::string> files;  // What reading gives.
  std::map<std::string, int> errors;         // Path: what anything done to it returns.
  std::vector<std::string> done;             // "mkdir /a", "write /a/b 1", "rmdir /a", "kill 7".

  int MakeDirectory(const std::string& path) override;
  int RemoveDirectory(const std::string& path) override;
  int Write(const std::string& path, const std::string& text) override;
  int Read(const std::string& path, std::string* text) override;
  int Subdirectories(const std::string& path, std::vector<std::string>* names) override;
  int Kill(int pid) override;

 private:
  int Told(const std::string& path) const;
};

}  // namespace proffer::isolator
