#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "chaos/judges/judges.h"

namespace proffer::chaos {

Violations JudgeClients(const std::vector<ClientLine>& clients) {
  Violations violations;
  std::map<std::string, const ClientLine*> ends;  // By task, the first.
  std::map<std::string, std::set<std::string>> heard_by;
  std::set<std::string> stopped;
  std::map<std::string, std::string> leads;     // By framework: the life that took over last.
  std::map<std::string, std::string> complete;  // By framework: the life that remains.
  for (const ClientLine& line : clients) {
    const std::string life = line.framework + " " + line.life;
    if (stopped.count(life) > 0) {
      violations.push_back(absl::StrCat("F1: ", life, " had stopped, and then: ", Print(line)));
    }
    if (line.event == "leads") leads[line.framework] = line.life;
    if (line.event == "stopped") {
      stopped.insert(life);
      if (line.task != "SUPERSEDED" && line.task != "STORE_FAILED") {
        violations.push_back(absl::StrCat("F1: ", life, " stopped: ", line.task));
      }
    }
    if (line.event == "complete") {
      if (!complete.insert({line.framework, line.life}).second) {
        violations.push_back(absl::StrCat("F1: two replicas of ", line.framework, " remain"));
      }
      if (leads[line.framework] != line.life) {
        violations.push_back(absl::StrCat("F1: of ", line.framework, " ", line.life,
                                          " remains, but ", leads[line.framework], " took over"));
      }
    }
    const auto ended = ends.find(line.task);
    // A replica that was frozen while another took over wakes up with the last words of its former
    // stream still unread: they were sent before that end, and it is told soon that it must stop.
    const bool replaced =
        leads[line.framework] != line.life && heard_by[line.task].count(life) == 0;
    if (line.event == "status" && ended != ends.end() && !replaced) {
      violations.push_back(absl::StrCat("T6: after its end: ", Print(line)));
    }
    if (line.event != "end") continue;
    if (!heard_by[line.task].insert(life).second) {
      violations.push_back(absl::StrCat("T6: told twice to one replica: ", Print(line)));
    }
    if (ended == ends.end()) {
      ends[line.task] = &line;
    } else if (ended->second->state != line.state || ended->second->exit_code != line.exit_code) {
      violations.push_back(
          absl::StrCat("T6: told as ", Print(*ended->second), " and as ", Print(line)));
    }
  }
  return violations;
}

}  // namespace proffer::chaos
