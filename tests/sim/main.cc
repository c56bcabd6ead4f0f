// proffer-sim: lives of a simulated cluster, one a seed. See docs/testing.md.
//
// Exit codes: 0 all well, 1 asked wrongly, 127 a crash, 128 something never happened that must, 129
// something was seen that must never be.
#include <glog/logging.h>
#include <google/protobuf/stubs/logging.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/clock.h"
#include "common/base/simulation.h"
#include "sim/campaign.h"
#include "sim/mutation.h"
#include "sim/scale.h"
#include "sim/shorten.h"

namespace {

using proffer::sim::Failure;
using proffer::sim::Fault;
using proffer::sim::FaultName;
using proffer::sim::kFaults;
using proffer::sim::Life;
using proffer::sim::Plan;
using proffer::sim::Tally;

struct Options {
  uint64_t seed = 0;
  uint64_t first = 1;
  uint64_t count = 1'000;
  std::string saved;
  int jobs = 2;
  double minutes = 0;
  int agents = 0;
  std::string faults = "all";
  bool trace = false;
  bool probes = false;
  bool fault_table = false;
  std::string mutant;
  bool mutants = false;
  std::string table;
  bool scale = false;
  proffer::sim::ScaleOptions big;
  std::string ledger;
  std::string commit = "-";
};

bool ParseFaults(const std::string& text, Life* life) {
  if (text == "all") return true;
  life->faults.fill(false);
  if (text == "none") return true;
  for (const absl::string_view name : absl::StrSplit(text, ',')) {
    Fault fault;
    if (!proffer::sim::ParseFault(name, &fault)) {
      std::string known;
      for (int i = 0; i < kFaults; ++i) {
        absl::StrAppend(&known, " ", FaultName(static_cast<Fault>(i)));
      }
      std::fprintf(stderr,
                   "proffer-sim: no fault is called '%s'; expected all, none or some of%s\n",
                   std::string(name).c_str(), known.c_str());
      return false;
    }
    life->faults[static_cast<int>(fault)] = true;
  }
  return true;
}

// The command that shows a life again.
std::string Again(const Options& options, const Life& life) {
  std::string again = absl::StrCat("proffer-sim --seed ", life.seed);
  if (life.trouble_ms > 0) absl::StrAppend(&again, " --minutes ", options.minutes);
  if (life.agents > 0) absl::StrAppend(&again, " --agents ", life.agents);
  const std::string faults = proffer::sim::FaultsText(life);
  if (faults != "all") absl::StrAppend(&again, " --faults ", faults);
  if (!options.mutant.empty()) absl::StrAppend(&again, " --mutant ", options.mutant);
  return again;
}

int Report(const Options& options, const Plan& plan, const Failure& failure) {
  std::printf("seed %llu: %s\n", static_cast<unsigned long long>(failure.seed),
              failure.sentence.c_str());
  const Life life = LifeOf(plan, failure.seed);
  std::printf("  again:   %s --trace\n", Again(options, life).c_str());
  if (failure.kind == Failure::Kind::kCrash) return static_cast<int>(failure.kind);
  if (!options.mutant.empty()) proffer::simulation::SwitchOn(options.mutant);
  const proffer::sim::Short brief = proffer::sim::Shorten(life, failure);
  std::printf("  shorter: %s --trace\n  %s\n\n", Again(options, brief.life).c_str(),
              brief.sentence.c_str());
  for (const std::string& line : brief.history) std::printf("%s\n", line.c_str());
  return static_cast<int>(failure.kind);
}

int Trace(const Options& options, const Plan& plan) {
  if (!options.mutant.empty()) proffer::simulation::SwitchOn(options.mutant);
  const proffer::sim::Verdict verdict =
      proffer::sim::Live(LifeOf(plan, options.seed),
                         [](proffer::Time now, const std::string& who, const std::string& line) {
                           std::fprintf(stderr, "%8lld %s: %s\n", static_cast<long long>(now.ms),
                                        who.c_str(), line.c_str());
                         });
  std::printf("seed %llu: %s\n", static_cast<unsigned long long>(options.seed),
              verdict.sentence.empty() ? "well" : verdict.sentence.c_str());
  return static_cast<int>(verdict.kind);
}

void PrintProgress(const Tally& tally, size_t all, proffer::Time began) {
  const double wall = static_cast<double>(proffer::BootTimeNow() - began) / 1'000;
  std::printf(
      "%6lld of %zu seeds, %6.1f simulated hours, %8lld tasks, %8lld faults, %5.1f s\n",
      static_cast<long long>(tally.lives), all, static_cast<double>(tally.simulated_ms) / 3'600'000,
      static_cast<long long>(tally.tasks), static_cast<long long>(tally.all_faults()), wall);
  std::fflush(stdout);
}

void PrintCounts(const char* title, const std::map<std::string, int64_t>& counts) {
  size_t never = 0;
  for (const auto& [name, count] : counts) never += count == 0 ? 1 : 0;
  std::printf("\n%zu %s, %zu never reached\n", counts.size(), title, never);
  for (const auto& [name, count] : counts) {
    std::printf("%10lld  %s\n", static_cast<long long>(count), name.c_str());
  }
}

void WriteLedger(const Options& options, const Tally& tally) {
  const auto now = static_cast<std::time_t>(proffer::UnixNowMs() / 1'000);
  char day[16];
  std::strftime(day, sizeof(day), "%Y-%m-%d", std::gmtime(&now));
  std::ofstream(options.ledger, std::ios::app)
      << day << '\t' << options.commit << '\t' << tally.lives << '\t'
      << tally.simulated_ms / 3'600'000 << '\t' << tally.all_faults() << '\t'
      << tally.failures.size() << '\n';
}

std::vector<uint64_t> Seeds(const Options& options) {
  std::vector<uint64_t> seeds;
  if (!options.saved.empty()) {
    // A seed a line, and behind # what it has found.
    std::ifstream file(options.saved);
    for (std::string line; std::getline(file, line);) {
      std::istringstream in(line);
      uint64_t seed = 0;
      if (in >> seed) seeds.push_back(seed);
    }
  }
  if (options.seed != 0) {
    seeds.push_back(options.seed);
    return seeds;
  }
  for (uint64_t i = 0; i < options.count; ++i) seeds.push_back(options.first + i);
  return seeds;
}

int Campaign(const Options& options, Plan plan) {
  plan.seeds = Seeds(options);
  plan.jobs = options.jobs;
  const proffer::Time began = proffer::BootTimeNow();
  int64_t next = static_cast<int64_t>(plan.seeds.size()) / 10;
  const Tally tally = RunCampaign(plan, [&](const Tally& so_far) {
    if (plan.seeds.size() < 100 || so_far.lives < next) return;
    next += static_cast<int64_t>(plan.seeds.size()) / 10;
    PrintProgress(so_far, plan.seeds.size(), began);
  });
  if (!options.ledger.empty()) WriteLedger(options, tally);
  if (!tally.failures.empty()) return Report(options, plan, tally.failures.front());
  const double wall_s =
      std::max(static_cast<double>(proffer::BootTimeNow() - began) / 1'000, 0.001);
  std::printf(
      "%lld seeds well (%lld of them lived twice, the same each time): %lld tasks, %lld starts, "
      "%lld faults; %.0f seeds and %.0f simulated minutes a second\n",
      static_cast<long long>(tally.lives), static_cast<long long>(tally.twice),
      static_cast<long long>(tally.tasks), static_cast<long long>(tally.starts),
      static_cast<long long>(tally.all_faults()), static_cast<double>(tally.lives) / wall_s,
      static_cast<double>(tally.simulated_ms) / 60'000 / wall_s);
  if (options.fault_table) {
    std::map<std::string, int64_t> faults;
    for (int i = 0; i < kFaults; ++i) {
      faults[std::string(FaultName(static_cast<Fault>(i)))] = tally.faults[i];
    }
    PrintCounts("kinds of fault", faults);
  }
  if (options.probes) {
    PrintCounts("probes", tally.probes);
    PrintCounts("places of legal misbehaviour", tally.maybes);
  }
  return 0;
}

// Every mutant until a judge sees it; the tables go to a file if one is named.
int Mutants(const Options& options, const Plan& plan) {
  proffer::sim::MutationPlan mutation;
  mutation.plan = plan;
  mutation.plan.jobs = options.jobs;
  mutation.first = options.first;
  mutation.most = options.count;
  int missed = 0;
  std::printf("%-40s %6s  %s\n", "mutant", "seeds", "seen as");
  const std::vector<proffer::sim::Sighting> sightings =
      RunMutants(mutation, [&](const proffer::sim::Sighting& one) {
        missed += one.seeds == 0 ? 1 : 0;
        std::printf("%-40s %6lld  %.100s\n", one.mutant.c_str(), static_cast<long long>(one.seeds),
                    one.seeds == 0 ? "never" : one.sentence.c_str());
        std::fflush(stdout);
      });
  const std::vector<std::string> unseen = Unseen(sightings);
  std::printf("%zu of %zu mutants seen; invariants that none trips: %s\n",
              sightings.size() - static_cast<size_t>(missed), sightings.size(),
              unseen.empty() ? "none" : absl::StrJoin(unseen, ", ").c_str());
  if (!options.table.empty()) {
    std::ofstream(options.table) << MutationTables(mutation, sightings);
  }
  return missed == 0 && unseen.empty() ? 0 : static_cast<int>(Failure::Kind::kSafety);
}

int Scale(const Options& options) {
  const proffer::sim::ScaleResult result =
      RunScale(options.big, [](const char* phase, int64_t simulated_s) {
        std::printf("%-12s %lld simulated s\n", phase, static_cast<long long>(simulated_s));
        std::fflush(stdout);
      });
  const double minutes = static_cast<double>(options.big.minutes);
  std::printf("agents                         %10d\n", options.big.agents);
  std::printf("frameworks                     %10d\n", options.big.frameworks);
  std::printf("tasks a simulated second       %10.0f\n",
              static_cast<double>(result.tasks) / minutes / 60);
  std::printf("extra launch delay p50         %10lld ms (above %lld ms of network and start)\n",
              static_cast<long long>(result.delay_p50_ms),
              static_cast<long long>(result.network_ms));
  std::printf("extra launch delay p99         %10lld ms\n",
              static_cast<long long>(result.delay_p99_ms));
  std::printf("wall s to register all         %10.1f (%.1f of cpu)\n", result.wall_s_to_register,
              result.cpu_s_to_register);
  std::printf("wall s a simulated minute      %10.1f (%.1f of cpu)\n", result.wall_s_per_minute,
              result.cpu_s_per_minute);
  std::printf("memory of the whole world      %10.0f MiB\n",
              static_cast<double>(result.memory_bytes) / (1 << 20));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  google::InitGoogleLogging(argv[0]);
  google::protobuf::SetLogHandler(nullptr);  // Garbage is meant to be garbage.
  Options options;
  CLI::App app("Lives of a simulated cluster under faults, one a seed.", "proffer-sim");
  app.add_option("--seed", options.seed, "One seed only");
  app.add_option("--first", options.first, "The first of many")->capture_default_str();
  app.add_option("--count", options.count, "How many")->capture_default_str();
  app.add_option("--saved", options.saved, "A file of seeds that run before the others");
  app.add_option("--jobs", options.jobs, "Processes")->check(CLI::Range(1, 64));
  app.add_option("--minutes", options.minutes, "How long faults last; drawn by default");
  app.add_option("--agents", options.agents, "How many; drawn by default");
  app.add_option("--faults", options.faults, "all, none, or names with commas");
  app.add_flag("--trace", options.trace, "Everything that happens, to stderr; with --seed");
  app.add_flag("--probes", options.probes, "A table of the places that were reached");
  app.add_flag("--fault_table", options.fault_table, "A table of what happened how often");
  app.add_option("--mutant", options.mutant, "With this old bug put back in");
  app.add_flag("--mutants", options.mutants, "How many seeds it takes to see each of them");
  app.add_option("--table", options.table, "A file for the tables of --mutants");
  app.add_option("--ledger", options.ledger, "A file to add a line to");
  app.add_option("--commit", options.commit, "Named in the ledger");
  app.add_flag("--scale", options.scale, "A big quiet world, for measuring");
  app.add_option("--scale_agents", options.big.agents)->capture_default_str();
  app.add_option("--scale_frameworks", options.big.frameworks)->capture_default_str();
  app.add_option("--scale_minutes", options.big.minutes)->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  Plan plan;
  if (!ParseFaults(options.faults, &plan.life)) return 1;
  plan.life.trouble_ms = static_cast<int64_t>(options.minutes * 60'000);
  plan.life.agents = options.agents;
  if (!options.mutant.empty()) {
    const std::vector<std::string> known = proffer::simulation::Mutants();
    if (std::find(known.begin(), known.end(), options.mutant) == known.end()) {
      std::fprintf(stderr, "proffer-sim: no mutant is called '%s'; see --mutants\n",
                   options.mutant.c_str());
      return 1;
    }
  }
  plan.mutant = options.mutant;
  if (options.scale) return Scale(options);
  if (options.mutants) return Mutants(options, plan);
  if (options.trace && options.seed != 0) return Trace(options, plan);
  return Campaign(options, plan);
}
