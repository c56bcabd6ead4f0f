#include "absl/strings/str_cat.h"
#include "chaos/judges/judges.h"

namespace proffer::chaos {
namespace {

// A daemon that was started again is not the one that was looked at, and connections come and go.
// A run has hundreds of tasks and dozens of faults, so one descriptor or thread left by each of
// them is more than this.
constexpr int kSpare = 8;
// A launcher has one connection and one thread, whatever it has been through.
constexpr int kLauncherSpare = 0;

}  // namespace

Violations JudgeHoldings(const std::map<std::string, Holdings>& before,
                         const std::map<std::string, Holdings>& after) {
  Violations violations;
  for (const auto& [name, was] : before) {
    const auto found = after.find(name);
    if (found == after.end()) {
      violations.push_back(absl::StrCat("H2: ", name, " is not there to be looked at"));
      continue;
    }
    const auto compare = [&, name = name](const char* what, int then, int now, int more) {
      if (now <= then + more) return;
      violations.push_back(
          absl::StrCat("H2: ", name, " holds ", now, " ", what, ", and held ", then, " at first"));
    };
    const Holdings& is = found->second;
    const int spare = name[0] == 'l' && name != "leader" ? kLauncherSpare : kSpare;
    compare("files", was.files, is.files, spare);
    compare("sockets", was.sockets, is.sockets, spare);
    compare("threads", was.threads, is.threads, spare);
    // Whoever starts makes the same ones.
    compare("mounts", was.mounts, is.mounts, 0);
  }
  return violations;
}

}  // namespace proffer::chaos
