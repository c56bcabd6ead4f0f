// Tasks that wait until a test lets them go: each writes down that it began and stands at a gate of
// its own.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"

namespace proffer::testing {

class Gates {
 public:
  Gates(const std::string& directory, int count) : directory_(directory + "/gates") {
    mkdir(directory_.c_str(), 0700);
    for (int i = 0; i < count; ++i) EXPECT_EQ(mkfifo(Gate(i).c_str(), 0600), 0);
  }
  // Ends with that exit code once its gate was opened.
  std::string Command(int i, int exit_code = 0) const {
    return absl::StrCat("echo $$ >> ", Pid(i), "; read line < ", Gate(i), "; exit ", exit_code);
  }
  // Opens as soon as the task stands at the gate.
  void Open(int i) const {
    const int fd = open(Gate(i).c_str(), O_WRONLY | O_CLOEXEC);
    ASSERT_GE(fd, 0);
    ASSERT_EQ(write(fd, "go\n", 3), 3);
    close(fd);
  }
  // How often the task was started.
  int64_t Starts(int i) const {
    std::ifstream file(Pid(i));
    return std::count(std::istreambuf_iterator<char>(file), {}, '\n');
  }

 private:
  std::string Gate(int i) const { return absl::StrCat(directory_, "/gate", i); }
  std::string Pid(int i) const { return absl::StrCat(directory_, "/pid", i); }
  const std::string directory_;
};

}  // namespace proffer::testing
