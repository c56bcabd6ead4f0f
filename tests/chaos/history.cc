#include "chaos/history.h"

#include <fcntl.h>
#include <glog/logging.h>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace proffer::chaos {
namespace {

using Words = std::vector<std::string>;

bool Parse(const Words& words, WitnessLine* line) {
  if (words.size() < 4 || !absl::SimpleAtoi(words[0], &line->at_ms)) return false;
  line->is_end = words[1] == "end";
  line->task = words[2];
  line->attempt = words[3];
  if (line->is_end) return words.size() == 5 && absl::SimpleAtoi(words[4], &line->exit_code);
  return words[1] == "start" && words.size() == 4;
}

bool Parse(const Words& words, ClientLine* line) {
  if (words.size() < 4 || !absl::SimpleAtoi(words[0], &line->at_ms)) return false;
  line->framework = words[1];
  line->life = words[2];
  line->event = words[3];
  if (line->event == "leads" || line->event == "complete") return words.size() == 4;
  if (words.size() < 5) return false;
  line->task = words[4];
  if (line->event == "submitted" || line->event == "stopped") return words.size() == 5;
  if (words.size() < 6) return false;
  line->state = words[5];
  if (line->event == "status") return words.size() == 6;
  if (line->event != "end" || words.size() != 8) return false;
  if (words[6] != "-") line->reason = words[6];
  int code = 0;
  if (words[7] == "-") return true;
  if (!absl::SimpleAtoi(words[7], &code)) return false;
  line->exit_code = code;
  return true;
}

template <typename Line>
std::vector<Line> ParseLines(absl::string_view text, std::vector<std::string>* bad) {
  std::vector<Line> lines;
  for (const absl::string_view one : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    Line line;
    if (Parse(absl::StrSplit(one, ' '), &line)) {
      lines.push_back(std::move(line));
    } else {
      bad->push_back(absl::StrCat("no line of a history: \"", one, "\""));
    }
  }
  return lines;
}

}  // namespace

std::vector<WitnessLine> ParseWitness(absl::string_view text, std::vector<std::string>* bad) {
  return ParseLines<WitnessLine>(text, bad);
}
std::vector<ClientLine> ParseClients(absl::string_view text, std::vector<std::string>* bad) {
  return ParseLines<ClientLine>(text, bad);
}

std::string Print(const ClientLine& line) {
  std::string text = absl::StrCat(line.at_ms, " ", line.framework, " ", line.life, " ", line.event);
  if (!line.task.empty()) absl::StrAppend(&text, " ", line.task);
  if (!line.state.empty()) absl::StrAppend(&text, " ", line.state);
  if (line.event == "end") {
    absl::StrAppend(&text, " ", line.reason.empty() ? "-" : line.reason, " ",
                    line.exit_code ? absl::StrCat(*line.exit_code) : "-");
  }
  return text;
}

std::string SubmittedId(const std::string& launched) {
  return launched.substr(0, launched.rfind(".r"));
}

void AppendLine(const std::string& path, const std::string& line) {
  const int fd = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  PCHECK(fd >= 0) << path;
  const std::string whole = line + "\n";
  PCHECK(write(fd, whole.data(), whole.size()) == static_cast<ssize_t>(whole.size())) << path;
  close(fd);
}

}  // namespace proffer::chaos
