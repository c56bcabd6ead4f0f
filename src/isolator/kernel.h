// The few things that isolators do to the kernel by way of files. Small, so that a fake can stand
// beside it (fake_kernel.h) and what is done, and in which order, can be tested without root.
#pragma once

#include <string>
#include <vector>

namespace proffer::isolator {

// Every function returns 0 or an errno.
class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual int MakeDirectory(const std::string& path) = 0;
  virtual int RemoveDirectory(const std::string& path) = 0;
  // One write(2) of all of it, as control files want it.
  virtual int Write(const std::string& path, const std::string& text) = 0;
  virtual int Read(const std::string& path, std::string* text) = 0;
  virtual int Subdirectories(const std::string& path, std::vector<std::string>* names) = 0;
  virtual int Kill(int pid) = 0;  // SIGKILL.
};

// The kernel that runs us.
Kernel& RealKernel();

}  // namespace proffer::isolator
