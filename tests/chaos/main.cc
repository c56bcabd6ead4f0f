// proffer-chaos: real clusters of real processes, broken in every way and judged by what tasks and
// clients wrote down. See docs/testing.md.
//
// Exit codes: 0 all well, 1 asked wrongly, 77 impossible on this machine, 129 something was seen
// that must never be, 130 interrupted.
#include <glog/logging.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <string>

#include "chaos/campaign.h"
#include "chaos/life.h"
#include "chaos/schedule.h"

int main(int argc, char** argv) {
  google::InitGoogleLogging(argv[0]);
  FLAGS_logtostderr = true;
  FLAGS_minloglevel = 1;
  signal(SIGPIPE, SIG_IGN);
  proffer::chaos::CampaignOptions campaign;
  campaign.keep = "build/chaos";
  proffer::chaos::LifeOptions life;
  bool live = false;
  bool plan = false;
  CLI::App app("breaks real clusters in every way, and judges them");
  app.add_option("--runs", campaign.runs, "how many runs");
  // The script chooses one, which whoever calls it may replace.
  app.add_option("--seed", campaign.seed, "of the first run; each next one has the next")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("--minutes", campaign.minutes, "instead of --runs: as many as begin within");
  app.add_option("--faults_ms", campaign.faults_ms, "how long things break in each run");
  app.add_option("--keep", campaign.keep, "where the records of bad runs go");
  app.add_option(
      "--keep_slow_ms", campaign.keep_slow_ms,
      "also the records of runs that were so slow after healing, once ZooKeeper was back");
  app.add_option("--ledger", campaign.ledger, "a file to which a line is added");
  app.add_option("--commit", campaign.commit, "for the ledger");
  app.add_flag("--plan", plan, "prints what will break in the run of --seed, and ends");
  app.add_flag("--live", live, "for proffer-chaos itself: one run, in namespaces of its own");
  app.add_option("--directory", life.directory, "for proffer-chaos itself");
  app.add_option("--groups", life.groups, "for proffer-chaos itself");
  CLI11_PARSE(app, argc, argv);
  if (plan) {
    for (const auto& fault : proffer::chaos::MakeSchedule(campaign.seed, campaign.faults_ms)) {
      std::printf("%s\n", proffer::chaos::Print(fault).c_str());
    }
    return 0;
  }
  if (live) {
    life.seed = campaign.seed;
    life.faults_ms = campaign.faults_ms;
    const proffer::chaos::Result result = proffer::chaos::Live(life);
    std::ofstream(life.directory + "/result") << proffer::chaos::Print(result);
    return 0;
  }
  if (const std::string why = proffer::chaos::WhyNot(); !why.empty()) {
    std::fprintf(stderr, "proffer-chaos: not run, because %s\n", why.c_str());
    return 77;
  }
  return proffer::chaos::RunCampaign(campaign);
}
