// The file that says where the cluster is, so that no command needs an address:
// $HOME/.proffer/context, with the line "master=unix:/...".
#pragma once

#include <string>

#include "absl/status/status.h"
#include "cli/context.h"

namespace proffer::cli {

// "" when there is no home directory.
std::string ContextFilePath(const Context& context);
// The master's address; "" when the file does not say.
std::string ReadContextFile(const std::string& path);
// Makes the directory if need be; readers see the former file or the new one, never a part.
absl::Status WriteContextFile(const std::string& path, const std::string& master);
// Removes the file if it still names `master`.
void RemoveContextFile(const std::string& path, const std::string& master);

}  // namespace proffer::cli
