// proffer-master: offers the resources of agents to frameworks.
#include <gflags/gflags.h>
#include <glog/logging.h>
#include <signal.h>
#include <sys/stat.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "common/base/limits.h"
#include "common/base/spare_memory.h"
#include "common/base/turns.h"
#include "common/fs/store_leveldb.h"
#include "common/fs/store_memory.h"
#include "common/metrics/exposition.h"
#include "common/model/version.h"
#include "master/candidacy.h"
#include "master/flags.h"
#include "master/master.h"

namespace {

using proffer::master::Candidacy;
using proffer::master::Master;

constexpr time_t kGiveBackEveryS = 5;
// Whoever floods a master keeps all its threads busy: with short turns a call of somebody else gets
// its part of a processor soon, and not after as many ticks of the kernel as there are threads.
constexpr int64_t kTurnNs = 300'000;

absl::StatusOr<std::unique_ptr<proffer::Store>> OpenStore(const std::string& directory) {
  if (directory.empty()) return std::make_unique<proffer::MemoryStore>();
  mkdir(directory.c_str(), 0700);
  return proffer::LevelDbStore::Open(directory + "/registry");
}

void SayWhereItServes(const Master& master) {
  for (const proffer::rpc::Address& address : master.addresses()) {
    LOG(INFO) << "serving on " << address.target;
    std::printf("serving on %s\n", address.target.c_str());
  }
  std::fflush(stdout);
}

int Fail(const absl::Status& why, int exit_status = 1) {
  std::fprintf(stderr, "proffer-master: %s\n", std::string(why.message()).c_str());
  return exit_status;
}

}  // namespace

int main(int argc, char** argv) {
  // Before any thread exists, so that all of them leave these to us.
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  signal(SIGPIPE, SIG_IGN);
  proffer::TakeTurnsOf(kTurnNs);

  gflags::SetUsageMessage("serves a Proffer cluster; --flagfile=FILE reads flags from a file");
  gflags::SetVersionString(proffer::model::ThisVersion().ToString());
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  google::InitGoogleLogging(argv[0]);
  if (argc > 1) {
    std::fprintf(stderr, "proffer-master: unexpected argument \"%s\"; see --help\n", argv[1]);
    return 2;
  }

  absl::StatusOr<proffer::master::ParsedFlags> flags = proffer::master::ReadFlags();
  if (!flags.ok()) return Fail(flags.status(), 2);
  // First of all: whoever knows where we are may come, and waits until we can answer.
  absl::StatusOr<proffer::rpc::Listeners> listeners = proffer::rpc::Listen(flags->listen);
  if (!listeners.ok()) return Fail(listeners.status());
  std::unique_ptr<proffer::metrics::Exposition> figures;
  if (!flags->metrics.empty()) {
    auto exposition = proffer::metrics::Exposition::Start(flags->metrics);
    if (!exposition.ok()) return Fail(exposition.status());
    figures = *std::move(exposition);
  }
  const auto leads = [&figures](const Master& one) {
    SayWhereItServes(one);
    if (figures != nullptr) figures->Add(one.metrics());
  };
  std::unique_ptr<proffer::Store> store;
  std::unique_ptr<Master> master;
  std::unique_ptr<Candidacy> candidacy;
  if (flags->zookeeper) {
    candidacy = std::make_unique<Candidacy>(
        Candidacy::Options{*flags->zookeeper, flags->zk_session_timeout_ms, flags->advertised,
                           flags->options, leads},
        *std::move(listeners));
  } else {
    absl::StatusOr<std::unique_ptr<proffer::Store>> opened = OpenStore(flags->store_directory);
    if (!opened.ok()) return Fail(opened.status());
    store = *std::move(opened);
    absl::StatusOr<std::unique_ptr<Master>> started =
        Master::Start(flags->options, *std::move(listeners), store.get());
    if (!started.ok()) return Fail(started.status());
    master = *std::move(started);
    leads(*master);
  }

  int signal_number = -1;
  const timespec while_waiting = {kGiveBackEveryS, 0};
  while ((signal_number = sigtimedwait(&stop, nullptr, &while_waiting)) < 0) {
    proffer::GiveBackSpareMemory(proffer::limits::kSpareMemoryBytes);
  }
  LOG(INFO) << "stopping on signal " << signal_number;
  candidacy.reset();
  master.reset();
  LOG(INFO) << "stopped";
  return 0;
}
