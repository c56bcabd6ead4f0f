#include "support/launcher_process.h"

#include <fcntl.h>
#include <glog/logging.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "isolator/cgroup/group.h"

extern char** environ;

namespace proffer::testing {
namespace {

bool Answers(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  CHECK_LT(path.size(), sizeof(address.sun_path));
  memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool connected = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  close(fd);
  return connected;
}

}  // namespace

LauncherProcess::LauncherProcess(Options options)
    : options_(std::move(options)),
      binaries_(options_.binaries.empty() ? absl::StrCat(PROFFER_BINARY_DIR, "/bin")
                                          : options_.binaries) {
  std::ofstream config(options_.directory + "/launcher.conf");
  config << "socket = " << socket() << "\n"
         << "run_root = " << options_.run_root << "\n"
         << "sandbox_root = " << options_.sandbox_root << "\n"
         << "agent_uid = " << (options_.agent_uid == 0xffffffff ? geteuid() : options_.agent_uid)
         << "\nusers = " << options_.users << "\n";
  if (options_.cgroup_root.empty()) {
    config << "isolation = posix\n";
  } else {
    config << "cgroup_root = " << options_.cgroup_root << "\n";
  }
  for (const std::string& setting : options_.settings) config << setting << "\n";
  config.close();
  chmod((options_.directory + "/launcher.conf").c_str(), 0600);
  Start();
}

LauncherProcess::~LauncherProcess() { Clean(); }

void LauncherProcess::Clean() {
  Kill();
  const std::string command = absl::StrCat(PROFFER_BINARY_DIR, "/bin/proffer-launcher --clean",
                                           " --config=", options_.directory, "/launcher.conf");
  CHECK_EQ(std::system(command.c_str()), 0);
}

void LauncherProcess::Start() {
  const std::string program = absl::StrCat(binaries_, "/", options_.program);
  // A test that dies takes it with it.
  std::vector<std::string> words = {
      "/usr/bin/setpriv", "--pdeathsig", "KILL", program,
      absl::StrCat("--config=", options_.directory, "/launcher.conf")};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::vector<std::string> variables = options_.environment;
  for (char** one = environ; *one != nullptr; ++one) variables.push_back(*one);
  std::vector<char*> environment;
  for (std::string& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, log().c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  unlink(socket().c_str());
  CHECK_EQ(posix_spawn(&pid_, words[0].c_str(), &actions, nullptr, argv.data(), environment.data()),
           0);
  posix_spawn_file_actions_destroy(&actions);
  while (!Answers(socket())) {
    CHECK_EQ(waitpid(pid_, nullptr, WNOHANG), 0) << "the launcher has ended; see " << log();
    usleep(1000);
  }
}

void LauncherProcess::Kill() {
  if (pid_ == 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

std::vector<std::string> LauncherProcess::Groups() const {
  return isolator::ListGroups(isolator::RealKernel(), isolator::DetectCgroupWorld(true),
                              options_.cgroup_root);
}

bool CanContain(bool use_unified) {
  return geteuid() == 0 &&
         isolator::DetectCgroupWorld(use_unified).kind != isolator::CgroupKind::kNone;
}

}  // namespace proffer::testing
