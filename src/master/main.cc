// proffer-master: offers the resources of agents to frameworks.
#include <gflags/gflags.h>
#include <glog/logging.h>
#include <signal.h>
#include <sys/stat.h>

#include <cstdio>
#include <memory>

#include "common/fs/store_leveldb.h"
#include "common/fs/store_memory.h"
#include "common/model/version.h"
#include "master/flags.h"
#include "master/master.h"

int main(int argc, char** argv) {
  // Before any thread exists, so that all of them leave these to us.
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  signal(SIGPIPE, SIG_IGN);

  gflags::SetUsageMessage("serves a Proffer cluster; --flagfile=FILE reads flags from a file");
  gflags::SetVersionString(proffer::model::ThisVersion().ToString());
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  google::InitGoogleLogging(argv[0]);
  if (argc > 1) {
    std::fprintf(stderr, "proffer-master: unexpected argument \"%s\"; see --help\n", argv[1]);
    return 2;
  }

  absl::StatusOr<proffer::master::ParsedFlags> flags = proffer::master::ReadFlags();
  if (!flags.ok()) {
    std::fprintf(stderr, "proffer-master: %s\n", flags.status().message().data());
    return 2;
  }
  std::unique_ptr<proffer::Store> store;
  if (flags->store_directory.empty()) {
    store = std::make_unique<proffer::MemoryStore>();
  } else {
    mkdir(flags->store_directory.c_str(), 0700);
    auto opened = proffer::LevelDbStore::Open(flags->store_directory + "/registry");
    if (!opened.ok()) {
      std::fprintf(stderr, "proffer-master: %s\n", opened.status().message().data());
      return 1;
    }
    store = *std::move(opened);
  }
  auto master = proffer::master::Master::Start(flags->options, store.get());
  if (!master.ok()) {
    std::fprintf(stderr, "proffer-master: %s\n", master.status().message().data());
    return 1;
  }
  for (const proffer::rpc::Address& address : (*master)->addresses()) {
    LOG(INFO) << "serving on " << address.target;
    std::printf("serving on %s\n", address.target.c_str());
  }
  std::fflush(stdout);

  int signal_number = 0;
  sigwait(&stop, &signal_number);
  LOG(INFO) << "stopping on signal " << signal_number;
  master->reset();
  LOG(INFO) << "stopped";
  return 0;
}
