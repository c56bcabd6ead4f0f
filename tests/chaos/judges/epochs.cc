#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "chaos/judges/judges.h"

namespace proffer::chaos {

std::vector<Leadership> ParseLeaderships(const std::string& master, const std::string& log) {
  // "I20261128 15:30:54.123456 pid file] leading cluster chaos in epoch 3 with ..."
  static constexpr char kBefore[] = " in epoch ";
  std::vector<Leadership> leaderships;
  for (const absl::string_view line : absl::StrSplit(log, '\n')) {
    if (!absl::StrContains(line, "] leading cluster ")) continue;
    const size_t at = line.find(kBefore);
    if (at == absl::string_view::npos) continue;
    Leadership one;
    one.master = master;
    one.epoch =
        std::strtoull(std::string(line.substr(at + sizeof(kBefore) - 1)).c_str(), nullptr, 10);
    leaderships.push_back(std::move(one));
  }
  return leaderships;
}

Violations JudgeEpochs(const std::vector<Leadership>& leaderships,
                       const std::vector<RegistryWrite>& writes) {
  Violations violations;
  std::map<uint64_t, const Leadership*> by_epoch;
  uint64_t highest = 0;
  for (const Leadership& one : leaderships) {
    const auto [it, first] = by_epoch.insert({one.epoch, &one});
    if (!first) {
      violations.push_back(absl::StrCat("L1: epoch ", one.epoch, " has two leaders, ",
                                        it->second->master, " at ", it->second->at_ms, " and ",
                                        one.master, " at ", one.at_ms));
    } else if (one.epoch < highest) {
      violations.push_back(absl::StrCat("L1: ", one.master, " leads in epoch ", one.epoch, " at ",
                                        one.at_ms, ", after epoch ", highest));
    }
    highest = std::max(highest, one.epoch);
  }
  std::string leader;  // The session that raised the epoch last.
  uint64_t raised = 0;
  uint64_t last = 0;
  for (size_t i = 0; i < writes.size(); ++i) {
    const RegistryWrite& write = writes[i];
    if (write.zxid != last) {
      // All writes of one transaction are one.
      for (size_t j = i; j < writes.size() && writes[j].zxid == write.zxid; ++j) {
        if (writes[j].key != "epoch") continue;
        ++raised;
        leader = write.session;
      }
    }
    last = write.zxid;
    if (write.session != leader) {
      violations.push_back(absl::StrCat("L1: session ", write.session, " wrote ", write.key,
                                        " after session ", leader, " had raised the epoch"));
    }
  }
  if (!writes.empty() && highest > raised) {
    violations.push_back(absl::StrCat("L1: epoch ", highest, " was led, but the log has only ",
                                      raised, " that were raised"));
  }
  return violations;
}

}  // namespace proffer::chaos
