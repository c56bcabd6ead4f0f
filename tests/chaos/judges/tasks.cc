#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "chaos/judges/judges.h"

namespace proffer::chaos {
namespace {

struct Ran {
  std::vector<const WitnessLine*> starts;
  std::vector<const WitnessLine*> ends;
};

void JudgeRan(const std::string& task, const Ran& ran, Violations* violations) {
  std::set<std::string> attempts;
  for (const WitnessLine* start : ran.starts) {
    if (!attempts.insert(start->attempt).second) {
      violations->push_back(
          absl::StrCat("T1: attempt ", start->attempt, " of ", task, " was started twice"));
    }
  }
  // Tasks of a run end by themselves alone, so none of them is ever to be run again.
  if (attempts.size() > 1) {
    const bool at_once = ran.ends.empty() || ran.ends[0]->at_ms > ran.starts[1]->at_ms;
    violations->push_back(absl::StrCat("T1: ", task, " ran in ", attempts.size(), " attempts",
                                       at_once ? ", two at once" : ""));
  }
  if (ran.ends.size() > ran.starts.size()) {
    violations->push_back(absl::StrCat("T1: ", task, " ended more often than it started"));
  }
}

void JudgeEnd(const ClientLine& told, const Ran* ran, Violations* violations) {
  const auto say = [&](const auto&... parts) { violations->push_back(absl::StrCat(parts...)); };
  const std::string what = absl::StrCat(told.task, " was told as ", told.state, " ", told.reason);
  if (!told.exit_code) {
    // Nobody kills tasks here. What could not even be started may fail, as on a full disk.
    if (ran == nullptr && told.state == "FAILED" && told.reason == "LAUNCH_FAILED") return;
    say("T3: ", what, ran == nullptr ? ", without ever starting" : ", but it ended by itself");
    return;
  }
  if (ran == nullptr || ran->ends.empty()) {
    say("T3: ", what, " with exit code ", *told.exit_code, ", but never ended");
    return;
  }
  const WitnessLine& end = *ran->ends[0];
  if (end.exit_code != *told.exit_code) {
    say("T5: ", what, " with exit code ", *told.exit_code, ", but its was ", end.exit_code);
  }
  if ((told.state == "FINISHED") != (end.exit_code == 0)) {
    say("T5: ", what, ", but its exit code was ", end.exit_code);
  }
  if (told.at_ms < end.at_ms) say("T3: ", what, " before it had ended");
}

}  // namespace

Violations JudgeTasks(const std::vector<WitnessLine>& witness,
                      const std::vector<ClientLine>& clients) {
  Violations violations;
  std::map<std::string, Ran> ran;
  for (const WitnessLine& line : witness) {
    Ran& one = ran[SubmittedId(line.task)];
    (line.is_end ? one.ends : one.starts).push_back(&line);
  }
  for (const auto& [task, one] : ran) JudgeRan(task, one, &violations);
  std::set<std::string> submitted;
  std::set<std::string> heard_of;
  std::set<std::string> told;
  std::set<std::string> ran_as_told;
  for (const ClientLine& line : clients) {
    const auto found = ran.find(line.task);
    const Ran* one = found == ran.end() ? nullptr : &found->second;
    if (line.event == "submitted") submitted.insert(line.task);
    if (line.event == "status") heard_of.insert(line.task);
    if (line.event == "status" && line.state == "RUNNING" && ran_as_told.insert(line.task).second &&
        (one == nullptr || one->starts.empty())) {
      violations.push_back(absl::StrCat("T4: ", line.task, " was told RUNNING and never started"));
    }
    if (line.event == "end") {
      told.insert(line.task);
      JudgeEnd(line, one, &violations);
    }
  }
  for (const std::string& task : submitted) {
    if (told.count(task) > 0) continue;
    // A replica that had lost the lead, unknown to itself, may have submitted it: it was not
    // acknowledged, and nobody else has heard of it.
    if (heard_of.count(task) == 0 && ran.count(task) == 0) continue;
    violations.push_back(absl::StrCat("T2: ", task, " was submitted and its end never told"));
  }
  for (const auto& [task, one] : ran) {
    if (submitted.count(task) == 0) {
      violations.push_back(absl::StrCat("T1: ", task, " ran and was never submitted"));
    } else if (one.ends.empty()) {
      violations.push_back(absl::StrCat("T2: ", task, " was started and never ended"));
    }
  }
  return violations;
}

}  // namespace proffer::chaos
