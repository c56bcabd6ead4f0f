// Frameworks from the command line.
#include <cstdio>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "proffer/framework.h"

namespace proffer {
namespace {

// The value of --NAME=VALUE or --NAME VALUE; null if the argument at `i` is another. Moves `i` to
// the last argument used.
const char* Value(const char* name, int argc, char** argv, int* i) {
  absl::string_view argument = argv[*i];
  if (!absl::ConsumePrefix(&argument, "--") || !absl::ConsumePrefix(&argument, name)) {
    return nullptr;
  }
  if (absl::ConsumePrefix(&argument, "=")) return argument.data();
  if (!argument.empty() || *i + 1 >= argc) return nullptr;
  return argv[++*i];
}

[[noreturn]] void Fail(const std::string& name, absl::string_view message) {
  std::fprintf(stderr, "%s: %s\n", name.c_str(), std::string(message).c_str());
  std::exit(2);
}

}  // namespace

std::unique_ptr<Framework> Framework::FromArgs(int argc, char** argv, FrameworkOptions options) {
  const std::string name = options.name;
  for (int i = 1; i < argc; ++i) {
    if (absl::string_view(argv[i]) == "--") break;
    if (const char* master = Value("master", argc, argv, &i)) {
      options.master = master;
    } else if (const char* role = Value("role", argc, argv, &i)) {
      options.roles = absl::StrSplit(role, ',', absl::SkipEmpty());
    } else if (const char* state = Value("state", argc, argv, &i)) {
      options.state_store = std::make_shared<FileStateStore>(state);
    } else if (const char* removed = Value("on_removed", argc, argv, &i)) {
      const absl::string_view word = removed;
      if (word != "fail" && word != "new_id") {
        Fail(name, absl::StrCat("--on_removed=", word, ": expected fail or new_id"));
      }
      options.on_removed = word == "fail" ? OnRemoved::kFail : OnRemoved::kNewId;
    }
  }
  if (!options.log) {
    options.log = [name](const std::string& line) {
      std::fprintf(stderr, "%s: %s\n", name.c_str(), line.c_str());
    };
  }
  absl::StatusOr<std::unique_ptr<Framework>> framework = Start(std::move(options));
  if (!framework.ok()) Fail(name, framework.status().message());
  return *std::move(framework);
}

}  // namespace proffer
