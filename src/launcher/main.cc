// proffer-launcher: the only program of Proffer that needs root. Starts tasks in containers for the
// agent of this machine.
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "isolator/cgroup/world.h"
#include "launcher/config.h"
#include "launcher/launcher.h"

namespace {

constexpr char kUsage[] =
    "Usage: proffer-launcher --config=FILE [--clean]\n"
    "\n"
    "Starts tasks in containers for the proffer-agent of this machine; the only part of Proffer\n"
    "that needs root. FILE says whom it listens to and what tasks may get; docs/operating.md\n"
    "shows one.\n"
    "\n"
    "  --config=FILE    only its owner may be able to write it\n"
    "  --clean          kill all its containers, remove their cgroups, and end\n"
    "  --version\n";

}  // namespace

int main(int argc, char** argv) {
  using proffer::launcher::Config;
  using proffer::launcher::Launcher;
  umask(022);
  std::string path;
  bool clean = false;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--version") {
      printf("proffer-launcher %s\n", PROFFER_VERSION);
      return 0;
    }
    if (argument == "--help" || argument == "-h") {
      fputs(kUsage, stdout);
      return 0;
    }
    if (argument == "--clean") {
      clean = true;
    } else if (argument.rfind("--config=", 0) == 0) {
      path = argument.substr(9);
    } else {
      fprintf(stderr, "proffer-launcher: unexpected argument \"%s\"\n\n%s", argv[i], kUsage);
      return 2;
    }
  }
  if (path.empty()) {
    fprintf(stderr, "proffer-launcher: --config=FILE is missing\n\n%s", kUsage);
    return 2;
  }
  Config config;
  std::string why = proffer::launcher::ReadConfig(path, &config);
  if (!why.empty()) {
    fprintf(stderr, "proffer-launcher: %s\n", why.c_str());
    return 2;
  }
  // The words of the command line lie one behind the other.
  char* const title = argv[0];
  const size_t title_bytes = static_cast<size_t>(argv[argc - 1] + strlen(argv[argc - 1]) - title);
  Launcher launcher(config, title, title_bytes);
  why = clean ? launcher.Clean() : launcher.Start();
  if (!why.empty()) {
    fprintf(stderr, "proffer-launcher: %s\n", why.c_str());
    return 1;
  }
  if (clean) return 0;
  const proffer::launcher::Welcome& welcome = launcher.welcome();
  if (welcome.why_not.empty()) {
    fprintf(
        stderr, "proffer-launcher: serving on %s; containers: cgroups (%s), namespaces; below %s\n",
        config.socket.c_str(),
        proffer::isolator::Name(static_cast<proffer::isolator::CgroupKind>(welcome.cgroup_kind)),
        config.cgroup_root.c_str());
  } else {
    fprintf(stderr, "proffer-launcher: serving on %s; process groups only: %s\n",
            config.socket.c_str(), welcome.why_not.c_str());
  }
  return launcher.Run();
}
