#include "cli/context_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace proffer::cli {

std::string ContextFilePath(const Context& context) {
  const std::string home = context.environment("HOME");
  return home.empty() ? "" : absl::StrCat(home, "/.proffer/context");
}

std::string ReadContextFile(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    absl::string_view rest = absl::StripAsciiWhitespace(line);
    if (absl::ConsumePrefix(&rest, "master=")) return std::string(rest);
  }
  return "";
}

absl::Status WriteContextFile(const std::string& path, const std::string& master) {
  mkdir(path.substr(0, path.rfind('/')).c_str(), 0700);
  const std::string temporary = absl::StrCat(path, ".", getpid());
  std::ofstream file(temporary, std::ios::trunc);
  file << "master=" << master << "\n";
  file.close();
  if (!file || rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    unlink(temporary.c_str());
    return absl::ErrnoToStatus(error, absl::StrCat("could not write ", path));
  }
  return absl::OkStatus();
}

void RemoveContextFile(const std::string& path, const std::string& master) {
  if (ReadContextFile(path) == master) unlink(path.c_str());
}

}  // namespace proffer::cli
