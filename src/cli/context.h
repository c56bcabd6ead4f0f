// What a command may touch of the world, injected so that tests see every byte.
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace proffer::cli {

struct Context {
  std::ostream& out;
  std::ostream& err;
  std::istream& in;
  std::function<int64_t()> unix_now_ms;
  // An environment variable; "" when it is not set.
  std::function<std::string(const char*)> environment;
  bool in_is_tty = false;
  bool out_is_tty = false;
  bool err_is_tty = false;
};

// Options that every command has.
struct Globals {
  std::string master;
  std::string format = "table";
};

// One call of the program: the verb that was named leaves its action here.
struct Session {
  Context& context;
  Globals globals;
  // What stood after "--".
  std::vector<std::string> after_dashes;
  bool has_dashes = false;
  // Gives the exit code, or what went wrong, in a sentence for people.
  std::function<absl::StatusOr<int>()> action;
};

}  // namespace proffer::cli
