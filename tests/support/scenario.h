// Scenario files: conversations as text, which tests replay and people read.
//
// A file is a sequence of blocks, with blank lines and lines starting with '#' between them:
//
//     # Why this matters.
//     agent a1 cpus:4
//     allocate
//     ----
//     f1 <- a1 cpus:1
//
// A block is commands, one a line, then "----", then what they are expected to print, up to the
// next blank line (an output with blank lines in it stands between two lines of "----" each).
// With PROFFER_REWRITE=1 in the environment (or `--rewrite` where main passes it on) the file is
// written anew with what was printed, and the test passes; read the difference in version control.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace proffer::testing {

struct ScenarioBlock {
  std::vector<std::string> before;    // Comments and blank lines in front, kept as they are.
  int line = 0;                       // Of the first command, from 1.
  std::vector<std::string> commands;  // Without comments.
  std::string expected;               // Ends with a newline unless empty.
};

struct Scenario {
  std::string path;
  std::vector<ScenarioBlock> blocks;
  std::vector<std::string> after;  // Comments and blank lines at the end.
};

absl::StatusOr<Scenario> ParseScenario(std::string path, absl::string_view text);
std::string PrintScenario(const Scenario& scenario);

// A command line: a name, words, and key=value options. Double quotes keep spaces together.
struct ScenarioCommand {
  std::string name;
  std::vector<std::string> words;
  std::vector<std::pair<std::string, std::string>> options;

  // The value of an option, or `otherwise`.
  std::string Option(absl::string_view key, absl::string_view otherwise = "") const;
  bool HasWord(absl::string_view word) const;
};
ScenarioCommand ParseScenarioCommand(absl::string_view line);

// Appends what a command prints (whole lines).
using ScenarioInterpreter = std::function<void(const ScenarioCommand&, std::string* output)>;

// Runs one file with a fresh interpreter of `make`. OK if everything was printed as expected (or
// the file was rewritten); else a sentence with path, line, expected and printed.
absl::Status RunScenarioFile(const std::string& path,
                             const std::function<ScenarioInterpreter()>& make);

// All *.txt below `directory` (relative to the source tree), in order. At least one, or it dies.
std::vector<std::string> ScenarioFiles(const std::string& directory);

// True if PROFFER_REWRITE is set to something else than 0.
bool RewriteScenarios();

}  // namespace proffer::testing
