// proffer-agent: runs tasks on this machine for the master that leads.
#include <gflags/gflags.h>
#include <glog/logging.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <memory>

#include "agent/agent.h"
#include "agent/explain_launch.h"
#include "agent/flags.h"
#include "common/fs/store_leveldb.h"
#include "common/metrics/exposition.h"
#include "common/model/version.h"
#include "common/rpc/server.h"

int main(int argc, char** argv) {
  // Before any thread exists, so that all of them leave these to us.
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  sigaddset(&stop, SIGUSR1);  // The core wants to end.
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  signal(SIGPIPE, SIG_IGN);

  gflags::SetUsageMessage("runs tasks on this machine; --flagfile=FILE reads flags from a file");
  gflags::SetVersionString(proffer::model::ThisVersion().ToString());
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  google::InitGoogleLogging(argv[0]);
  if (argc > 1) {
    std::fprintf(stderr, "proffer-agent: unexpected argument \"%s\"; see --help\n", argv[1]);
    return 2;
  }
  absl::StatusOr<proffer::agent::ParsedFlags> flags = proffer::agent::ReadFlags();
  if (!flags.ok()) {
    std::fprintf(stderr, "proffer-agent: %s\n", flags.status().message().data());
    return 2;
  }
  if (!flags->explain_launch.empty()) {
    const absl::StatusOr<std::string> text =
        proffer::agent::ExplainLaunch(flags->options.runner, flags->explain_launch);
    if (text.ok()) return std::fputs(text->c_str(), stdout) < 0 ? 1 : 0;
    std::fprintf(stderr, "proffer-agent: %s\n", text.status().message().data());
    return 2;
  }
  mkdir((flags->work_dir + "/checkpoint").c_str(), 0700);
  auto store = proffer::LevelDbStore::Open(flags->work_dir + "/checkpoint");
  if (!store.ok()) {
    std::fprintf(stderr, "proffer-agent: %s\n", store.status().message().data());
    return 1;
  }
  std::atomic<bool> told_to_stop{false};
  flags->options.on_stop = [&told_to_stop](const std::string& reason) {
    std::fprintf(stderr, "proffer-agent: %s\n", reason.c_str());
    told_to_stop = true;
    kill(getpid(), SIGUSR1);
  };
  auto agent = proffer::agent::Agent::Start(std::move(flags->options), store->get());
  if (!agent.ok()) {
    std::fprintf(stderr, "proffer-agent: %s\n", agent.status().message().data());
    return 1;
  }
  // Health and reflection only, on a unix socket: an agent listens on no port that anybody but this
  // machine reaches.
  auto health = proffer::rpc::Server::Start({flags->health}, {});
  if (!health.ok()) {
    std::fprintf(stderr, "proffer-agent: %s\n", health.status().message().data());
    return 1;
  }
  (*health)->SetServing(true);
  std::unique_ptr<proffer::metrics::Exposition> figures;
  if (!flags->metrics.empty()) {
    auto exposition = proffer::metrics::Exposition::Start(flags->metrics);
    if (!exposition.ok()) {
      std::fprintf(stderr, "proffer-agent: %s\n", exposition.status().message().data());
      return 1;
    }
    figures = *std::move(exposition);
    figures->Add((*agent)->metrics());
  }
  int signal_number = 0;
  sigwait(&stop, &signal_number);
  LOG(INFO) << "stopping on signal " << signal_number << "; tasks go on";
  agent->reset();
  LOG(INFO) << "stopped";
  return told_to_stop ? 1 : 0;
}
