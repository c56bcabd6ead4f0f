#include "support/zookeeper_ensemble.h"

#include <glog/logging.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/clock.h"
#include "support/loopback.h"

namespace proffer::testing {
namespace {

constexpr char kJava[] = "/usr/bin/java";
constexpr char kServer[] = "/usr/share/java/zookeeper.jar";

}  // namespace

std::string ZooKeeperEnsemble::WhyNot() {
  for (const char* file : {kJava, kServer}) {
    if (!std::filesystem::exists(file)) {
      return absl::StrCat("there is no ", file, "; scripts/install.sh installs it");
    }
  }
  return "";
}

ZooKeeperEnsemble::ZooKeeperEnsemble(int servers) : servers_(servers) {
  std::string name = "/tmp/pfzkXXXXXX";
  CHECK(mkdtemp(name.data()) != nullptr);
  directory_ = name;
  for (Server& server : servers_) {
    server.port = FreePort();
    server.peer_port = FreePort();
    server.election_port = FreePort();
  }
  for (int i = 0; i < size(); ++i) {
    std::filesystem::create_directories(DirectoryOf(i));
    std::ofstream(DirectoryOf(i) + "/myid") << i + 1 << "\n";
    std::ofstream config(DirectoryOf(i) + "/zoo.cfg");
    config << "tickTime=" << kTickMs << "\ninitLimit=20\nsyncLimit=10\n"
           << "dataDir=" << DirectoryOf(i) << "\nclientPortAddress=127.0.0.1\n"
           << "clientPort=" << servers_[i].port << "\nmaxClientCnxns=0\n"
           << "admin.enableServer=false\n4lw.commands.whitelist=srvr\n";
    for (int j = 0; size() > 1 && j < size(); ++j) {
      config << "server." << j + 1 << "=127.0.0.1:" << servers_[j].peer_port << ":"
             << servers_[j].election_port << "\n";
    }
    config.close();
    Start(i);
  }
  AwaitServing();
}

ZooKeeperEnsemble::~ZooKeeperEnsemble() {
  for (int i = 0; i < size(); ++i) Kill(i);
  std::filesystem::remove_all(directory_);
}

std::string ZooKeeperEnsemble::DirectoryOf(int number) const {
  return absl::StrCat(directory_, "/", number);
}

std::string ZooKeeperEnsemble::server(int number) const {
  return absl::StrCat("127.0.0.1:", servers_[number].port);
}

std::string ZooKeeperEnsemble::address(const std::string& chroot) const {
  std::vector<std::string> all;
  for (int i = 0; i < size(); ++i) all.push_back(server(i));
  return absl::StrCat("zk://", absl::StrJoin(all, ","), chroot);
}

void ZooKeeperEnsemble::Kill(int number) { servers_[number].process.reset(); }

void ZooKeeperEnsemble::Start(int number) {
  // Small and quick to start; what it says goes to its output.
  servers_[number].process = std::make_unique<ChildProcess>(std::vector<std::string>{
      kJava, "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
      "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp",
      absl::StrCat(kServer, ":/usr/share/java/slf4j-simple.jar"),
      "org.apache.zookeeper.server.quorum.QuorumPeerMain", DirectoryOf(number) + "/zoo.cfg"});
}

void ZooKeeperEnsemble::Pause(int number) const { servers_[number].process->Signal(SIGSTOP); }
void ZooKeeperEnsemble::Resume(int number) const { servers_[number].process->Signal(SIGCONT); }

std::string ZooKeeperEnsemble::Mode(int number) const {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(servers_[number].port);
  std::string answer;
  const timeval patience = {1, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
      write(fd, "srvr", 4) == 4) {
    char bytes[4096];
    ssize_t got = 0;
    while ((got = read(fd, bytes, sizeof(bytes))) > 0) answer.append(bytes, got);
  }
  close(fd);
  const size_t at = answer.find("Mode: ");
  return at == std::string::npos ? "" : answer.substr(at + 6, answer.find('\n', at) - at - 6);
}

void ZooKeeperEnsemble::AwaitServing() const {
  const Time give_up = BootTimeNow() + 60'000;
  for (int i = 0; i < size(); ++i) {
    if (servers_[i].process == nullptr) continue;
    // A server tells nobody when it is ready.
    while (Mode(i).empty()) {
      CHECK(BootTimeNow() < give_up) << "ZooKeeper does not start:\n"
                                     << servers_[i].process->output();
      usleep(20'000);
    }
  }
}

}  // namespace proffer::testing
