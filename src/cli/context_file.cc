#include "cli/context_file.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "proffer/context.h"

namespace proffer::cli {

std::string ContextFilePath(const Context& context) {
  const std::string home = context.environment("HOME");
  return home.empty() ? "" : absl::StrCat(home, "/.proffer/context");
}

absl::StatusOr<std::string> RememberedMaster(const std::string& path) {
  if (path.empty()) return std::string();
  const absl::StatusOr<proffer::Context> file = ReadContext(path);
  if (absl::IsNotFound(file.status())) return std::string();
  RETURN_IF_ERROR(file.status());
  return file->master;
}

absl::Status RememberMaster(const std::string& path, const std::string& master) {
  return WriteContext(path, proffer::Context{master});
}

void ForgetMaster(const std::string& path, const std::string& master) {
  const absl::StatusOr<std::string> named = RememberedMaster(path);
  if (named.ok() && *named == master) unlink(path.c_str());
}

}  // namespace proffer::cli
