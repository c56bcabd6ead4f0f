// The context file and the search for a master.
#include "proffer/context.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "sdk/replace_file.h"

namespace proffer {

std::string DefaultContextPath() {
  const char* home = getenv("HOME");
  if (home == nullptr || home[0] == '\0') return "";
  return absl::StrCat(home, "/.proffer/context");
}

absl::StatusOr<Context> ReadContext(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(absl::StrCat("there is no file ", path));
  Context context;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    const absl::string_view text = absl::StripAsciiWhitespace(line);
    if (text.empty() || text[0] == '#') continue;
    const size_t equals = text.find('=');
    if (equals == absl::string_view::npos) {
      return absl::DataLossError(
          absl::StrCat(path, ":", number, ": expected key=value, found \"", text, "\""));
    }
    if (text.substr(0, equals) == "master") context.master = std::string(text.substr(equals + 1));
  }
  return context;
}

absl::Status WriteContext(const std::string& path, const Context& context) {
  if (context.master.find('\n') != std::string::npos) {
    return absl::InvalidArgumentError("the address of a master is a single line");
  }
  const size_t slash = path.rfind('/');
  if (slash != std::string::npos && slash > 0) {
    const std::string directory = path.substr(0, slash);
    if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
      return absl::PermissionDeniedError(
          absl::StrCat("cannot make ", directory, ": ", strerror(errno)));
    }
  }
  return sdk::ReplaceFile(path, absl::StrCat("master=", context.master, "\n"));
}

absl::StatusOr<std::string> FindMaster(absl::string_view given) {
  if (!given.empty()) return std::string(given);
  if (const char* named = getenv("PROFFER_MASTER"); named != nullptr && named[0] != '\0') {
    return std::string(named);
  }
  const std::string path = DefaultContextPath();
  if (!path.empty()) {
    const absl::StatusOr<Context> context = ReadContext(path);
    if (context.ok() && !context->master.empty()) return context->master;
    if (!context.ok() && !absl::IsNotFound(context.status())) return context.status();
  }
  return absl::NotFoundError(
      "no master is named: start a cluster with `proffer dev`, or give --master=unix:/path or "
      "--master=host:port, or set PROFFER_MASTER");
}

}  // namespace proffer
