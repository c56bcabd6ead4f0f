// Reading, replaying and rewriting scenario files.
#include "support/scenario.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "glog/logging.h"

namespace proffer::testing {
namespace {

constexpr char kSeparator[] = "----";

bool IsBetweenBlocks(absl::string_view line) {
  const absl::string_view stripped = absl::StripAsciiWhitespace(line);
  return stripped.empty() || stripped[0] == '#';
}

bool HasBlankLine(absl::string_view text) {
  return absl::StartsWith(text, "\n") || absl::StrContains(text, "\n\n");
}

}  // namespace

absl::StatusOr<Scenario> ParseScenario(std::string path, absl::string_view text) {
  Scenario scenario;
  scenario.path = std::move(path);
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  std::vector<std::string> between;
  for (size_t i = 0; i < lines.size();) {
    if (IsBetweenBlocks(lines[i])) {
      between.push_back(lines[i++]);
      continue;
    }
    ScenarioBlock block;
    block.before = std::exchange(between, {});
    block.line = static_cast<int>(i) + 1;
    for (; i < lines.size() && lines[i] != kSeparator; ++i) {
      if (IsBetweenBlocks(lines[i])) {
        return absl::InvalidArgumentError(
            absl::StrCat(scenario.path, ":", i + 1, ": the commands that start at line ",
                         block.line, " are not followed by \"----\""));
      }
      block.commands.push_back(lines[i]);
    }
    if (i == lines.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat(scenario.path, ":", block.line, ": commands without \"----\" after them"));
    }
    ++i;
    if (i < lines.size() && lines[i] == kSeparator) {  // Output with blank lines in it.
      for (++i; i < lines.size(); ++i) {
        if (lines[i] == kSeparator && i + 1 < lines.size() && lines[i + 1] == kSeparator) break;
        absl::StrAppend(&block.expected, lines[i], "\n");
      }
      i = std::min(i + 2, lines.size());
    } else {
      for (; i < lines.size() && !lines[i].empty(); ++i) {
        absl::StrAppend(&block.expected, lines[i], "\n");
      }
    }
    scenario.blocks.push_back(std::move(block));
  }
  scenario.after = std::move(between);
  return scenario;
}

std::string PrintScenario(const Scenario& scenario) {
  std::string text;
  for (const ScenarioBlock& block : scenario.blocks) {
    for (const std::string& line : block.before) absl::StrAppend(&text, line, "\n");
    for (const std::string& command : block.commands) absl::StrAppend(&text, command, "\n");
    if (HasBlankLine(block.expected)) {
      absl::StrAppend(&text, "----\n----\n", block.expected, "----\n----\n");
    } else {
      absl::StrAppend(&text, "----\n", block.expected);
    }
  }
  for (const std::string& line : scenario.after) absl::StrAppend(&text, line, "\n");
  return text;
}

std::string ScenarioCommand::Option(absl::string_view key, absl::string_view otherwise) const {
  for (const auto& [name, value] : options) {
    if (name == key) return value;
  }
  return std::string(otherwise);
}

bool ScenarioCommand::HasWord(absl::string_view word) const {
  return std::find(words.begin(), words.end(), word) != words.end();
}

ScenarioCommand ParseScenarioCommand(absl::string_view line) {
  std::vector<std::string> parts(1);
  bool quoted = false;
  for (char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ' ' && !quoted) {
      if (!parts.back().empty()) parts.emplace_back();
    } else {
      parts.back().push_back(c);
    }
  }
  if (parts.back().empty() && parts.size() > 1) parts.pop_back();
  ScenarioCommand command;
  command.name = parts[0];
  for (size_t i = 1; i < parts.size(); ++i) {
    const size_t equals = parts[i].find('=');
    if (equals == std::string::npos || equals == 0) {
      command.words.push_back(parts[i]);
    } else {
      command.options.emplace_back(parts[i].substr(0, equals), parts[i].substr(equals + 1));
    }
  }
  return command;
}

bool RewriteScenarios() {
  const char* rewrite = std::getenv("PROFFER_REWRITE");
  return rewrite != nullptr && *rewrite != '\0' && std::string(rewrite) != "0";
}

absl::Status RunScenarioFile(const std::string& path,
                             const std::function<ScenarioInterpreter()>& make) {
  std::ifstream in(path);
  if (!in) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  std::stringstream text;
  text << in.rdbuf();
  absl::StatusOr<Scenario> scenario = ParseScenario(path, text.str());
  if (!scenario.ok()) return scenario.status();

  const ScenarioInterpreter interpret = make();
  std::vector<std::string> differences;
  for (ScenarioBlock& block : scenario->blocks) {
    std::string printed;
    for (const std::string& command : block.commands) {
      interpret(ParseScenarioCommand(command), &printed);
    }
    if (!printed.empty() && printed.back() != '\n') printed.push_back('\n');
    if (printed != block.expected) {
      differences.push_back(absl::StrCat(path, ":", block.line, ": ",
                                         absl::StrJoin(block.commands, "; "), "\nexpected:\n",
                                         block.expected, "printed:\n", printed));
    }
    block.expected = std::move(printed);
  }
  if (differences.empty()) return absl::OkStatus();
  if (RewriteScenarios()) {
    std::ofstream out(path);
    out << PrintScenario(*scenario);
    out.close();
    return out.good() ? absl::OkStatus() : absl::DataLossError(absl::StrCat("cannot write ", path));
  }
  return absl::FailedPreconditionError(
      absl::StrCat(absl::StrJoin(differences, "\n"),
                   "\nPROFFER_REWRITE=1 takes over what was printed, if it is right."));
}

std::vector<std::string> ScenarioFiles(const std::string& directory) {
  std::vector<std::string> files;
  const std::filesystem::path root = std::filesystem::path(PROFFER_SOURCE_DIR) / directory;
  for (const auto& entry : std::filesystem::directory_iterator(root)) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path().string());
  }
  CHECK(!files.empty()) << "no scenarios in " << root;
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace proffer::testing
