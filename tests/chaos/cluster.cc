#include "chaos/cluster.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <glog/logging.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "chaos/command.h"
#include "chaos/groups.h"
#include "chaos/holdings.h"
#include "chaos/schedule.h"
#include "common/rpc/channel.h"
#include "common/rpc/deadline.h"

namespace proffer::chaos {
namespace {

constexpr char kJars[] =
    "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar:"
    "/usr/share/java/commons-cli.jar";
constexpr int kZooKeeperPort = 2181;
// Enough for checkpoints and sandboxes of a run.
constexpr char kDiskSize[] = "size=24m";
// Its tasks are process groups: both ways to end tasks are to be met.
constexpr char kProcessGroupAgent[] = "a4";

std::vector<std::string> Java(const std::string& main_class) {
  return {"java",
          "-Xmx96m",
          "-XX:+UseSerialGC",
          "-XX:TieredStopAtLevel=1",
          "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
          "-Dzookeeper.preAllocSize=512",
          "-cp",
          kJars,
          main_class};
}

// What a server answers to a word, until it closes; "" when it takes too long or cannot be reached.
std::string AskLine(const std::string& host, int port, const std::string& word) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  PCHECK(fd >= 0);
  const timeval patience = {0, 300'000};  // Connecting counts as sending.
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  std::string answer;
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
      send(fd, word.data(), word.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(word.size())) {
    char buffer[1024];
    for (ssize_t got = 0; (got = recv(fd, buffer, sizeof(buffer), 0)) > 0;) {
      answer.append(buffer, static_cast<size_t>(got));
    }
  }
  close(fd);
  return answer;
}

// A program that lies beside ours.
std::string Program(const std::string& name) {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / name;
}

void Touch(const std::string& path) { std::ofstream(path) << "\n"; }

}  // namespace

Cluster::Cluster(std::string directory, std::string groups, uint64_t seed, Supervisor* supervisor)
    : directory_(std::move(directory)),
      groups_(std::move(groups)),
      supervisor_(supervisor),
      network_(AllNodes(), seed),
      clocks_(PathOf("clocks"), PathOf("bin/chaos-wrong-clock.so")) {
  std::filesystem::create_directories(PathOf("logs"));
  // The programs may lie where a container has something of its own, as below /tmp.
  std::filesystem::create_directories(PathOf("bin"));
  PCHECK(mount(Program("").c_str(), PathOf("bin").c_str(), nullptr, MS_BIND, nullptr) == 0);
  std::filesystem::create_directories(PathOf(kFullDiskAgent));
  // Before any launcher has mounts of its own, so that all of them start with the same.
  PCHECK(mount("tmpfs", PathOf(kFullDiskAgent).c_str(), "tmpfs", 0, kDiskSize) == 0);
  for (int i = 1; i <= kZooKeepers; ++i) AddZooKeeper(i);
  for (int i = 1; i <= kMasters; ++i) AddMaster(i);
  for (int i = 1; i <= kAgents; ++i) AddAgent(i);
  finder_ = *LeaderFinder::Make(zookeeper());
}

void Cluster::StartSchedulers() {
  for (int i = 1; i <= kSchedulers; ++i) AddScheduler(i);
}

void Cluster::Add(const std::string& daemon, const std::string& node,
                  std::vector<std::string> words) {
  std::vector<std::string> all = network_.Enter(node);
  all.insert(all.end(), words.begin(), words.end());
  supervisor_->Add(daemon, std::move(all));
}

void Cluster::AddWithClock(const std::string& daemon, std::vector<std::string> words) {
  std::vector<std::string> all = clocks_.Wear(daemon);
  all.insert(all.end(), words.begin(), words.end());
  Add(daemon, daemon, std::move(all));
}

std::string Cluster::zookeeper() const {
  std::vector<std::string> servers;
  for (int i = 1; i <= kZooKeepers; ++i) {
    servers.push_back(network_.address(absl::StrCat("z", i)) + ":2181");
  }
  return absl::StrCat("zk://", absl::StrJoin(servers, ","), "/chaos");
}

void Cluster::AddZooKeeper(int number) {
  const std::string name = absl::StrCat("z", number);
  std::filesystem::create_directories(PathOf(name));
  std::ofstream(PathOf(name) + "/myid") << number << "\n";
  std::ofstream config(PathOf(name) + "/zoo.cfg");
  // Sessions of 3 s; no server waits long for one that is away.
  config << "tickTime=500\ninitLimit=10\nsyncLimit=5\nmaxClientCnxns=0\n"
         << "dataDir=" << PathOf(name) << "\nclientPort=2181\n"
         << "admin.enableServer=false\n4lw.commands.whitelist=srvr\n";
  for (int i = 1; i <= kZooKeepers; ++i) {
    config << "server." << i << "=" << network_.address(absl::StrCat("z", i)) << ":2888:3888\n";
  }
  config.close();
  std::vector<std::string> words = Java("org.apache.zookeeper.server.quorum.QuorumPeerMain");
  words.push_back(PathOf(name) + "/zoo.cfg");
  Add(name, name, std::move(words));
}

std::string Cluster::MasterAddress(int number) const {
  return network_.address(absl::StrCat("m", number)) + ":5050";
}

void Cluster::AddMaster(int number) {
  const std::string name = absl::StrCat("m", number);
  AddWithClock(name,
               {Program("proffer-master"), "--logtostderr", "--listen=" + MasterAddress(number),
                "--insecure_tcp", "--zk=" + zookeeper(),
                absl::StrCat("--zk_session_timeout_ms=", kSessionMs), "--cluster=chaos",
                "--agent_ping_ms=1000", "--agent_unreachable_ms=5000", "--offer_timeout_ms=10000"});
}

void Cluster::AddAgent(int number) {
  const std::string node = absl::StrCat("a", number);
  const std::string launcher = absl::StrCat("l", number);
  std::filesystem::create_directories(PathOf(launcher));
  std::filesystem::create_directories(PathOf(node));
  const std::string config = PathOf(launcher) + "/conf";
  const bool contains = !groups_.empty() && node != kProcessGroupAgent;
  std::ofstream(config) << "socket = " << PathOf(launcher)
                        << "/s\nrun_root = " << absl::StrCat(directory_, "/r", number)
                        << "\nsandbox_root = " << PathOf(node)
                        << "/w/sandboxes\nagent_uid = 0\nusers = any\n"
                        << (contains ? "cgroup_root = " + GroupsOf(number) : "isolation = posix")
                        << "\n";
  chmod(config.c_str(), 0600);
  Add(launcher, node, {Program("proffer-launcher"), "--config=" + config});
  AddWithClock(node, {Program("proffer-agent"), "--logtostderr", "--master=" + zookeeper(),
                      absl::StrCat("--work_dir=", PathOf(node), "/w"),
                      absl::StrCat("--runtime_dir=", directory_, "/r", number),
                      absl::StrCat("--launcher=", PathOf(launcher), "/s"), "--hostname=" + node,
                      "--resources=cpus:8;mem:2GiB", "--keep_sandboxes=5"});
}

void Cluster::AddScheduler(int number) {
  const std::string name = absl::StrCat("s", number);
  const bool second = number > 2;
  const std::string framework = second ? "f2" : "f1";
  std::filesystem::create_directories(PathOf(framework));
  std::vector<std::string> words = {Program("chaos-scheduler"),
                                    "--name",
                                    framework,
                                    "--master",
                                    zookeeper(),
                                    "--directory",
                                    PathOf(framework),
                                    "--witness",
                                    PathOf("bin/chaos-witness"),
                                    "--history",
                                    PathOf("clients"),
                                    "--quiet",
                                    PathOf("quiet"),
                                    "--release",
                                    PathOf("release"),
                                    "--long_tasks",
                                    absl::StrCat(kLongTasks / 2),
                                    "--between_ms",
                                    "250"};
  if (second) words.emplace_back("--supersede");
  AddWithClock(name, std::move(words));
}

std::string Cluster::Leader() const {
  const std::optional<rpc::Address> leader = finder_->Current();
  for (int i = 1; leader && i <= kMasters; ++i) {
    if (leader->target == MasterAddress(i)) return absl::StrCat("m", i);
  }
  return "";
}

bool Cluster::EnsembleServes() const {
  for (int i = 1; i <= kZooKeepers; ++i) {
    const std::string server = network_.address(absl::StrCat("z", i));
    if (AskLine(server, kZooKeeperPort, "srvr").find("Mode: leader") != std::string::npos) {
      return true;
    }
  }
  return false;
}

std::optional<std::vector<v1::AgentView>> Cluster::Agents() {
  const std::optional<rpc::Address> leader = finder_->Current();
  if (!leader) return std::nullopt;
  const auto stub = v1::OperatorService::NewStub(rpc::MakeChannel(*leader));
  grpc::ClientContext context;
  context.set_deadline(rpc::DeadlineIn(1'000));
  v1::ListRequest request;
  request.set_kind(v1::AGENTS);
  v1::ListResponse response;
  if (!stub->List(&context, request, &response).ok()) return std::nullopt;
  std::vector<v1::AgentView> agents;
  for (const v1::Object& object : response.objects()) agents.push_back(object.agent());
  return agents;
}

void Cluster::FillDisk() const {
  const std::string path = PathOf(kFullDiskAgent) + "/ballast";
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  PCHECK(fd >= 0) << path;
  const std::string block(1 << 20, 'x');
  // The last blocks, too, in which a small file would still find room.
  for (size_t size = block.size(); size >= 512; size /= 2) {
    while (write(fd, block.data(), size) > 0) {
    }
  }
  close(fd);
}
void Cluster::EmptyDisk() const { std::filesystem::remove(PathOf(kFullDiskAgent) + "/ballast"); }

void Cluster::Quiet() const { Touch(PathOf("quiet")); }
void Cluster::Release() const { Touch(PathOf("release")); }

std::map<std::string, std::string> Cluster::MasterLogs() const {
  std::map<std::string, std::string> paths;
  for (int i = 1; i <= kMasters; ++i) {
    const std::string name = absl::StrCat("m", i);
    paths[name] = PathOf(absl::StrCat("logs/", name, ".log"));
  }
  return paths;
}

std::string Cluster::ReadAt(const std::string& path) const { return ReadWhole(directory_ + path); }

std::vector<std::string> Cluster::Remains() const {
  std::vector<std::string> remains;
  std::set<pid_t> known = supervisor_->pids();
  for (const pid_t pid : network_.holders()) known.insert(pid);
  known.insert(getpid());
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 0 || known.count(pid) > 0) continue;
    std::string command = ReadWhole(entry.path() / "cmdline");
    for (char& c : command) c = c == '\0' ? ' ' : c;
    remains.push_back(absl::StrCat("process ", pid, ": ", command));
  }
  for (int i = 1; i <= kAgents; ++i) {
    std::error_code ignored;
    const std::string run = absl::StrCat(directory_, "/r", i);
    for (const auto& entry : std::filesystem::directory_iterator(run, ignored)) {
      if (entry.is_directory()) remains.push_back("directory " + entry.path().string());
    }
    if (groups_.empty()) continue;
    for (const std::string& name : GroupsBelow(GroupsOf(i))) {
      remains.push_back(absl::StrCat("control group ", GroupsOf(i), "/", name));
    }
  }
  return remains;
}

std::map<std::string, Holdings> Cluster::HoldingsNow() const {
  std::map<std::string, Holdings> all;
  const auto add = [&](const std::string& daemon, const std::string& as) {
    const std::optional<Holdings> one = HoldingsOf(supervisor_->pid(daemon));
    if (!one) return;
    Holdings& most = all[as];
    most.files = std::max(most.files, one->files);
    most.sockets = std::max(most.sockets, one->sockets);
    most.threads = std::max(most.threads, one->threads);
    most.mounts = std::max(most.mounts, one->mounts);
  };
  const std::string leader = Leader();
  for (int i = 1; i <= kMasters; ++i) {
    const std::string name = absl::StrCat("m", i);
    add(name, name == leader ? "leader" : "standby");
  }
  for (int i = 1; i <= kAgents; ++i) {
    for (const char* letter : {"a", "l"}) add(absl::StrCat(letter, i), absl::StrCat(letter, i));
  }
  return all;
}

std::string Cluster::TransactionLog(int server) const {
  std::vector<std::string> logs;
  std::error_code ignored;
  const std::string directory = PathOf(absl::StrCat("z", server)) + "/version-2";
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
    if (entry.path().filename().string().rfind("log.", 0) == 0) logs.push_back(entry.path());
  }
  // Their names are the first zxids, in hexadecimal digits without leading zeros.
  std::sort(logs.begin(), logs.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
  std::string text;
  for (const std::string& log : logs) {
    std::vector<std::string> words = Java("org.apache.zookeeper.server.persistence.TxnLogToolkit");
    words.emplace_back("--dump");
    words.push_back(log);
    std::string output;
    RunCommand(words, "", &output);
    text += output;
  }
  std::ofstream(PathOf(absl::StrCat("logs/transactions", server))) << text;
  return text;
}

}  // namespace proffer::chaos
