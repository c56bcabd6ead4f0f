#include <algorithm>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "chaos/judges/judges.h"

namespace proffer::chaos {
namespace {

// A daemon that was started again is not the one that was looked at, and connections come and go.
// A run has hundreds of tasks and dozens of faults, so one descriptor or thread left by each of
// them is far more than this.
constexpr int kSpare = 12;

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
    const auto compare = [&, name = name](const char* what, int then, int now, int spare) {
      if (now <= then + spare) return;
      violations.push_back(
          absl::StrCat("H2: ", name, " holds ", now, " ", what, ", and held ", then, " at first"));
    };
    const Holdings& is = found->second;
    compare("files", was.files, is.files, kSpare);
    compare("sockets", was.sockets, is.sockets, kSpare);
    compare("threads", was.threads, is.threads, kSpare);
    // Whoever starts makes the same ones.
    compare("mounts", was.mounts, is.mounts, 0);
  }
  return violations;
}

}  // namespace proffer::chaos
