#include "sim/shorten.h"

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace proffer::sim {
namespace {

constexpr size_t kMostLines = 60;
constexpr size_t kMostColumns = 220;

bool FailsAlike(const Life& life, const Failure& failure, Verdict* out) {
  const Verdict verdict = Live(life);
  if (static_cast<int>(verdict.kind) != static_cast<int>(failure.kind)) return false;
  // Of the same invariant, that is: the word before the colon.
  const auto word = [](const std::string& sentence) {
    return sentence.substr(0, sentence.find(':'));
  };
  if (word(verdict.sentence) != word(failure.sentence)) return false;
  *out = verdict;
  return true;
}

// What names something: ids, tasks, machines.
std::set<std::string> NamesIn(const std::string& sentence) {
  std::set<std::string> names;
  for (const absl::string_view part :
       absl::StrSplit(sentence, absl::ByAnyChar(" ,;()"), absl::SkipEmpty())) {
    std::string word(part);
    const bool has_digit =
        std::any_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!has_digit || word.find_first_not_of("0123456789.") == std::string::npos) continue;
    // An attempt 3-12 is printed as a message.
    const std::vector<std::string> parts = absl::StrSplit(word, '-');
    if (parts.size() == 2 && parts[0].find_first_not_of("0123456789") == std::string::npos) {
      word = absl::StrCat("epoch: ", parts[0], " n: ", parts[1], " ");
    }
    names.insert(word);
  }
  return names;
}

}  // namespace

std::string FaultsText(const Life& life) {
  std::string text;
  int count = 0;
  for (int i = 0; i < kFaults; ++i) {
    if (!life.faults[i]) continue;
    ++count;
    absl::StrAppend(&text, text.empty() ? "" : ",", FaultName(static_cast<Fault>(i)));
  }
  return count == kFaults ? "all" : count == 0 ? "none" : text;
}

Short Shorten(const Life& life, const Failure& failure) {
  Short out;
  out.life = life;
  out.sentence = failure.sentence;
  Verdict verdict;
  for (int i = 0; i < kFaults; ++i) {
    if (!out.life.faults[i]) continue;
    Life fewer = out.life;
    fewer.faults[i] = false;
    if (!FailsAlike(fewer, failure, &verdict)) continue;
    out.life = fewer;
    out.sentence = verdict.sentence;
  }
  const std::set<std::string> names = NamesIn(out.sentence);
  Live(out.life, [&](Time now, const std::string& who, const std::string& line) {
    const bool happening = who == "fault" || who == "judge" || who == "ensemble" ||
                           line == "crash" || line == "start" || absl::StrContains(line, "stops:");
    const bool concerned = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      return absl::StrContains(line, name);
    });
    if (!happening && !concerned) return;
    std::string text = absl::StrFormat("%8d %s: %s", now.ms, who, line);
    if (text.size() > kMostColumns) text = text.substr(0, kMostColumns) + " ...";
    out.history.push_back(std::move(text));
  });
  if (out.history.size() > kMostLines) {
    out.history.erase(out.history.begin(), out.history.end() - static_cast<ptrdiff_t>(kMostLines));
  }
  return out;
}

}  // namespace proffer::sim
