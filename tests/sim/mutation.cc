#include "sim/mutation.h"

#include <algorithm>
#include <cctype>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "common/base/simulation.h"

namespace proffer::sim {
namespace {

// Seeds are taken in bites, each lived to its end, so that the outcome does not depend on which of
// the campaign's processes is the faster.
constexpr uint64_t kBite = 100;

// What may stand before a judge's sentence, and which judge that is.
struct Judged {
  const char* invariant;
  const char* judge;
};
constexpr Judged kJudged[] = {
    {"L1", "leadership.h"},
    {"L2", "leadership.h"},
    {"L6", "leadership.h"},
    {"A5", "leadership.h"},
    {"F1", "leadership.h"},
    {"L8", "amnesia.h"},
    {"L4", "registry.h"},
    {"L5", "registry.h"},
    {"A1", "registry.h, tasks.h"},
    {"A2", "registry.h"},
    {"R1", "resources.h"},
    {"R3", "resources.h"},
    {"R4", "resources.h"},
    {"R8", "resources.h"},
    {"R2", "master_node.cc, life.cc"},
    {"T1", "tasks.h"},
    {"T3", "tasks.h"},
    {"T4", "tasks.h"},
    {"T5", "tasks.h"},
    {"T6", "tasks.h"},
    {"T10", "tasks.h, promises.h"},
    {"T7", "updates.h, promises.h"},
    {"T8", "updates.h"},
    {"T9", "updates.h, life.cc"},
    {"A3", "updates.h"},
    {"S1", "promises.h"},
    {"S4", "promises.h"},
    {"F2", "frameworks.h, promises.h"},
    {"F3", "frameworks.h, resources.h"},
    {"T11", "reconciliation.h"},
    {"A4", "partitions.h"},
    {"A6", "partitions.h"},
    {"H1", "life.cc"},
    {"live", "life.cc"},
    {"crash", "campaign.cc"},
};

Sighting RunMutant(const MutationPlan& all, const std::string& mutant) {
  Sighting sighting;
  sighting.mutant = mutant;
  Plan plan = all.plan;
  plan.mutant = mutant;
  plan.stop_early = false;
  plan.twice_every = 0;
  for (uint64_t done = 0; done < all.most; done += kBite) {
    if (sighting.seeds > 0 && done >= all.at_least) break;
    plan.seeds.clear();
    for (uint64_t i = done; i < std::min(done + kBite, all.most); ++i) {
      plan.seeds.push_back(all.first + i);
    }
    // Sorted by seed.
    for (const Failure& failure : RunCampaign(plan, nullptr).failures) {
      ++sighting.seen_as[InvariantOf(failure)];
      if (sighting.seeds > 0) continue;
      sighting.seeds = static_cast<int64_t>(failure.seed - all.first) + 1;
      sighting.sentence = failure.sentence;
    }
  }
  return sighting;
}

}  // namespace

std::vector<Sighting> RunMutants(const MutationPlan& plan,
                                 const std::function<void(const Sighting&)>& progress) {
  std::vector<Sighting> sightings;
  for (const std::string& mutant : simulation::Mutants()) {
    sightings.push_back(RunMutant(plan, mutant));
    if (progress) progress(sightings.back());
  }
  return sightings;
}

std::string InvariantOf(const Failure& failure) {
  if (failure.kind == Failure::Kind::kCrash) return "crash";
  if (failure.kind == Failure::Kind::kLiveness) return "live";
  const size_t colon = failure.sentence.find(':');
  const std::string name = failure.sentence.substr(0, colon);
  const bool is_name = colon != std::string::npos && colon <= 3 && std::isupper(name[0]) != 0;
  return is_name ? name : "other";
}

std::string MutationTables(const MutationPlan& plan, const std::vector<Sighting>& sightings) {
  std::string text = absl::StrCat(
      "# Mutants\n\nWritten by `proffer-sim --mutants`; do not edit. Each mistake "
      "(`tests/sim/mutants.txt` tells what it is)\nwas put back in and lived with, from seed ",
      plan.first, " on, until a judge noticed, for ", plan.at_least, " lives at least and\n",
      plan.most, " at most. Of two lives one has no checks of the core's own.\n\n",
      "| mutant | seeds needed | noticed first as | noticed as, in lives |\n|---|---|---|---|\n");
  for (const Sighting& sighting : sightings) {
    std::vector<std::string> seen;
    for (const auto& [invariant, lives] : sighting.seen_as) {
      seen.push_back(absl::StrCat(invariant, " ", lives));
    }
    std::string sentence = sighting.sentence.substr(0, 90);
    std::replace(sentence.begin(), sentence.end(), '|', '/');
    absl::StrAppend(&text, "| ", sighting.mutant, " | ",
                    sighting.seeds > 0 ? absl::StrCat(sighting.seeds) : "**never**", " | ",
                    sentence, " | ", absl::StrJoin(seen, ", "), " |\n");
  }
  absl::StrAppend(&text,
                  "\n## Judges\n\n| invariant | judge | mutants that trip it |\n|---|---|---|\n");
  for (const Judged& judged : kJudged) {
    std::vector<std::string> mutants;
    for (const Sighting& sighting : sightings) {
      if (sighting.seen_as.count(judged.invariant) > 0) mutants.push_back(sighting.mutant);
    }
    absl::StrAppend(&text, "| ", judged.invariant, " | ", judged.judge, " | ",
                    mutants.empty() ? "**none**" : absl::StrJoin(mutants, ", "), " |\n");
  }
  return text;
}

std::vector<std::string> Unseen(const std::vector<Sighting>& sightings) {
  std::vector<std::string> unseen;
  for (const Judged& judged : kJudged) {
    const bool seen = std::any_of(sightings.begin(), sightings.end(), [&](const Sighting& one) {
      return one.seen_as.count(judged.invariant) > 0;
    });
    if (!seen) unseen.push_back(judged.invariant);
  }
  return unseen;
}

}  // namespace proffer::sim
