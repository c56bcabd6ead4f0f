// Runs, one after the other, each in namespaces of its own, which are gone with its process.
#pragma once

#include <cstdint>
#include <string>

namespace proffer::chaos {

struct CampaignOptions {
  int runs = 1;
  uint64_t seed = 1;   // Of the first; each next one has the next.
  double minutes = 0;  // Above 0: as many runs as begin within, whatever `runs` says.
  int64_t faults_ms = 40'000;
  std::string keep;  // Where the records of a run with violations go.
  // And of one that was that slow with all that it needed. 0: however slow.
  int64_t keep_slow_ms = 0;
  std::string ledger;  // Empty: none.
  std::string commit;
};

// Why there can be none on this machine, a sentence; empty: there can.
std::string WhyNot();

// The exit code: 0 without violations, 129 with, 130 when it was interrupted.
int RunCampaign(const CampaignOptions& options);

}  // namespace proffer::chaos
