// The file that says where the cluster is (proffer/context.h), under the home directory that the
// context of this call tells.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/context.h"

namespace proffer::cli {

// "" when there is no home directory.
std::string ContextFilePath(const Context& context);
// The master's address; "" when there is no file or it does not say. DATA_LOSS: not of its form.
absl::StatusOr<std::string> RememberedMaster(const std::string& path);
absl::Status RememberMaster(const std::string& path, const std::string& master);
// Removes the file if it still names `master`.
void ForgetMaster(const std::string& path, const std::string& master);

}  // namespace proffer::cli
