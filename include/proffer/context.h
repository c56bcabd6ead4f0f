// Where the master is, for programs that were not told: the context file, which `proffer dev`
// writes and the CLI and every framework read. $HOME/.proffer/context holds lines `key=value`, of
// which `master` is known: master=unix:/run/user/1000/proffer/master.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace proffer {

struct Context {
  std::string master;  // unix:/path, host:port, or several of them separated by commas.
};

// $HOME/.proffer/context; "" when there is no home.
std::string DefaultContextPath();
// NOT_FOUND: no such file. DATA_LOSS, naming the line: not of the form above. Other keys are
// ignored.
absl::StatusOr<Context> ReadContext(const std::string& path);
// Makes the directory (mode 0700) if need be, and replaces the file in one step.
absl::Status WriteContext(const std::string& path, const Context& context);

// The first of: `given` (say, of a flag --master), the environment variable PROFFER_MASTER, the
// context file. NOT_FOUND, with what to do, when there is none.
absl::StatusOr<std::string> FindMaster(absl::string_view given);

}  // namespace proffer
