// proffer: the command line of the cluster.
#include <glog/logging.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "cli/app.h"
#include "common/base/clock.h"

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_DFL);  // `proffer ls tasks | head` ends quietly.
  // gRPC's own lines about connections that fail are not for people; ours say it.
  setenv("GRPC_VERBOSITY", "NONE", 0);
  FLAGS_minloglevel = google::GLOG_ERROR;
  FLAGS_logtostderr = true;
  proffer::cli::Context context{
      std::cout,
      std::cerr,
      std::cin,
      [] { return proffer::UnixNowMs(); },
      [](const char* name) {
        const char* value = std::getenv(name);
        return std::string(value == nullptr ? "" : value);
      },
      isatty(0) == 1,
      isatty(1) == 1,
      isatty(2) == 1,
  };
  const int code =
      proffer::cli::RunProffer(context, std::vector<std::string>(argv + 1, argv + argc));
  std::cout.flush();
  if (!std::cout) {
    std::cerr << "proffer: the output could not be written\n";
    return code == 0 ? 1 : code;
  }
  return code;
}
