#include "cli/dev/cluster.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/client.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "proffer/quantity.h"

namespace proffer::cli {
namespace {

constexpr int64_t kStartMs = 15'000;
constexpr int64_t kEarlyEndMs = 2'000;
constexpr int kMostEarlyEnds = 5;
constexpr int kFirstPort = 31000;
constexpr int kPorts = 1000;  // Of one cluster; the next one has the next thousand.

int64_t MachineCpus() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

int64_t MachineMemory() {
  return int64_t{sysconf(_SC_PHYS_PAGES)} * int64_t{sysconf(_SC_PAGESIZE)};
}

int64_t FreeDisk(const std::string& directory) {
  struct statvfs info;
  if (statvfs(directory.c_str(), &info) != 0) return 0;
  return static_cast<int64_t>(info.f_bavail) * static_cast<int64_t>(info.f_frsize);
}

int64_t WholeMebibytes(int64_t bytes) { return bytes >> 20 << 20; }

std::string DirectoryOfOurProgram() {
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof(path));
  const std::string self(path, std::max<ssize_t>(length, 0));
  return self.substr(0, self.rfind('/'));
}

std::string HowEnded(int status) {
  if (WIFSIGNALED(status)) return absl::StrCat("signal ", WTERMSIG(status));
  return absl::StrCat("exit ", WEXITSTATUS(status));
}

std::string NameForPeople(const std::string& daemon) {
  if (daemon == "master") return "the master";
  constexpr absl::string_view kLauncher = ".launcher";
  if (!absl::EndsWith(daemon, kLauncher)) return "agent " + daemon;
  return absl::StrCat("the launcher of ", daemon.substr(0, daemon.size() - kLauncher.size()));
}

// Watches the master's agents and raises `ready` when `count` are connected.
class AgentCount {
 public:
  AgentCount(const std::string& master, size_t count) : ready_(eventfd(0, EFD_CLOEXEC)) {
    thread_ = std::thread([this, master, count] { Watch(master, count); });
  }
  ~AgentCount() {
    call_.TryCancel();
    thread_.join();
    close(ready_);
  }
  int ready() const { return ready_; }

 private:
  void Watch(const std::string& master, size_t count) {
    absl::StatusOr<std::unique_ptr<Client>> client = Client::ConnectTo(master);
    if (!client.ok()) return;
    v1::WatchRequest request;
    request.add_kinds(v1::AGENTS);
    call_.set_wait_for_ready(true);
    const auto reader = (*client)->stub().Watch(&call_, request);
    std::set<std::string> connected;
    const auto take = [&](const v1::Object& object) {
      if (object.agent().state() == v1::CONNECTED) {
        connected.insert(object.agent().agent_id());
      } else {
        connected.erase(object.agent().agent_id());
      }
    };
    v1::WatchEvent event;
    while (connected.size() < count && reader->Read(&event)) {
      for (const v1::Object& object : event.snapshot().objects()) take(object);
      if (event.has_change()) take(event.change().object());
    }
    if (connected.size() >= count) eventfd_write(ready_, 1);
    call_.TryCancel();
    reader->Finish();
  }

  const int ready_;
  grpc::ClientContext call_;
  std::thread thread_;
};

}  // namespace

DevCluster::DevCluster(std::unique_ptr<ClaimedPlace> claimed) : claimed_(std::move(claimed)) {}

DevCluster::~DevCluster() {
  // Agents first: they say goodbye to a master that is still there.
  for (auto daemon = daemons_.rbegin(); daemon != daemons_.rend(); ++daemon) {
    if (daemon->process.pid > 0) Signal(daemon->process, SIGTERM);
  }
  for (Daemon& daemon : daemons_) {
    if (daemon.process.pid == 0) continue;
    if (!WaitForEnd(daemon.process, 3'000)) Signal(daemon.process, SIGKILL);
    waitpid(daemon.process.pid, nullptr, 0);
  }
  if (signals_ >= 0) close(signals_);
  if (master_output_ >= 0) close(master_output_);
  // The place removes the rest.
}

absl::StatusOr<std::unique_ptr<DevCluster>> DevCluster::Start(const std::string& base,
                                                              const DevOptions& options,
                                                              std::vector<std::string>* removed) {
  // Shims whose agent ends become our children, not init's.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  ASSIGN_OR_RETURN(std::unique_ptr<ClaimedPlace> claimed,
                   ClaimedPlace::Claim(base, options.keep, removed));
  std::unique_ptr<DevCluster> cluster(new DevCluster(std::move(claimed)));
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGCHLD, SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
  cluster->signals_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  RETURN_IF_ERROR(cluster->Plan(options));
  RETURN_IF_ERROR(cluster->StartMaster());
  RETURN_IF_ERROR(cluster->StartAgents());
  return cluster;
}

absl::Status DevCluster::Plan(const DevOptions& options) {
  programs_ = DirectoryOfOurProgram();
  for (const char* program : {"proffer-master", "proffer-agent", "proffer-launcher"}) {
    if (access(absl::StrCat(programs_, "/", program).c_str(), X_OK) != 0) {
      return absl::NotFoundError(absl::StrCat(
          program, " is not beside proffer in ", programs_,
          "; install all programs of Proffer into one directory, or build the target ", program));
    }
  }
  const std::string& directory = place().directory;
  const std::string state = place().state();
  for (const std::string& made : {logs(), directory + "/run", directory + "/l"}) {
    if (mkdir(made.c_str(), 0700) != 0 && errno != EEXIST) {
      return absl::ErrnoToStatus(errno, absl::StrCat("could not make ", made));
    }
  }
  const int64_t count = options.agents;
  int64_t cpus = MachineCpus() * 1000;
  if (!options.cpus.empty()) {
    absl::StatusOr<int64_t> parsed = ParseScalar(kCpus, options.cpus);
    if (!parsed.ok()) return Annotate(parsed.status(), "--cpus");
    cpus = *parsed;
  }
  int64_t mem = WholeMebibytes(MachineMemory() / count);
  if (!options.mem.empty()) {
    absl::StatusOr<int64_t> parsed = ParseScalar(kMem, options.mem);
    if (!parsed.ok()) return Annotate(parsed.status(), "--mem");
    mem = *parsed;
  }
  char real[PATH_MAX];
  if (realpath(state.c_str(), real) == nullptr) return absl::ErrnoToStatus(errno, state);
  const std::string real_state = real;
  const int64_t disk = WholeMebibytes(FreeDisk(state) / count);
  const int first_port = kFirstPort + (place().number - 1) % 30 * kPorts;
  daemons_.push_back({"master",
                      {programs_ + "/proffer-master", "--listen=" + master(),
                       "--work_dir=" + state + "/master", "--agent_unreachable_ms=15000"},
                      {},
                      0,
                      0});
  for (int64_t i = 0; i < count; ++i) {
    Agent agent;
    agent.name = absl::StrCat("a", i + 1);
    agent.resources = absl::StrCat(
        "cpus:", PrintScalar(kCpus, cpus), ";mem:", PrintScalar(kMem, mem), ";ports:[",
        first_port + i * kPorts / count, "-", first_port + (i + 1) * kPorts / count - 1, "]");
    if (disk > 0) absl::StrAppend(&agent.resources, ";disk:", PrintScalar(kDisk, disk));
    RETURN_IF_ERROR(WriteLauncherConfig(agent.name, real_state));
    daemons_.push_back({agent.name + ".launcher",
                        {programs_ + "/proffer-launcher",
                         absl::StrCat("--config=", directory, "/l/", agent.name, ".conf")},
                        {},
                        0,
                        0});
    daemons_.push_back(
        {agent.name,
         {programs_ + "/proffer-agent", "--launcher=" + directory + "/l/" + agent.name + "/s",
          "--master=" + master(), "--hostname=" + agent.name,
          "--work_dir=" + real_state + "/" + agent.name,
          "--runtime_dir=" + directory + "/run/" + agent.name, "--resources=" + agent.resources},
         {},
         0,
         0});
    agents_.push_back(std::move(agent));
  }
  return absl::OkStatus();
}

absl::Status DevCluster::WriteLauncherConfig(const std::string& agent,
                                             const std::string& state) const {
  const std::string& directory = place().directory;
  const std::string path = absl::StrCat(directory, "/l/", agent, ".conf");
  std::ofstream file(path);
  file << "# What the launcher of agent " << agent << " may do; written by proffer dev.\n"
       << "socket = " << directory << "/l/" << agent << "/s\n"
       << "agent_uid = " << geteuid() << "\n"
       << "run_root = " << directory << "/run/" << agent << "\n"
       << "sandbox_root = " << state << "/" << agent << "/sandboxes\n"
       << "cgroup_root = proffer-dev-" << getpid() << "-" << agent << "\n"
       << "users = any\n"
       << "capabilities = NET_BIND_SERVICE\n";
  file.close();
  if (!file) return absl::UnavailableError(absl::StrCat("could not write ", path));
  chmod(path.c_str(), 0600);
  return absl::OkStatus();
}

std::string DevCluster::isolation() const {
  std::ifstream file(absl::StrCat(logs(), "/", agents_[0].name, ".launcher.log"));
  std::string line;
  std::getline(file, line);
  const size_t at = line.find("; ");
  if (at == std::string::npos) return "";
  return line.substr(at + 2, line.find(';', at + 2) - at - 2);
}

absl::Status DevCluster::StartOne(Daemon* daemon, int stdout_fd) {
  DaemonSpec spec;
  spec.argv = daemon->argv;
  spec.environment = {{"PROFFER_DEV", place().directory}, {"GLOG_logtostderr", "1"}};
  spec.log_path = absl::StrCat(logs(), "/", daemon->name, ".log");
  spec.stdout_fd = stdout_fd;
  ASSIGN_OR_RETURN(daemon->process, StartDaemon(spec));
  daemon->started_ms = BootTimeNow().ms;
  return WriteStamp(absl::StrCat(place().directory, "/", daemon->name, ".pid"), daemon->process);
}

absl::Status DevCluster::StartMaster() {
  int output[2];
  if (pipe2(output, O_CLOEXEC | O_NONBLOCK) != 0) return absl::ErrnoToStatus(errno, "pipe");
  master_output_ = output[0];
  const absl::Status started = StartOne(&daemons_[0], output[1]);
  close(output[1]);
  RETURN_IF_ERROR(started);
  // It says "serving on ..." when it does.
  const int64_t until_ms = BootTimeNow().ms + kStartMs;
  std::string said;
  while (!absl::StrContains(said, "serving on ")) {
    const int64_t left_ms = until_ms - BootTimeNow().ms;
    pollfd wait{master_output_, POLLIN, 0};
    if (left_ms <= 0 || poll(&wait, 1, static_cast<int>(left_ms)) == 0) {
      return absl::DeadlineExceededError(absl::StrCat("the master did not begin to serve within ",
                                                      kStartMs / 1000, " s", EndOfLog("master")));
    }
    char buffer[512];
    const ssize_t got = read(master_output_, buffer, sizeof(buffer));
    if (got > 0) said.append(buffer, got);
    if (got == 0) {
      return absl::InternalError(absl::StrCat("the master ended at its start", EndOfLog("master")));
    }
  }
  return absl::OkStatus();
}

absl::Status DevCluster::StartAgents() {
  for (size_t i = 1; i < daemons_.size(); ++i) RETURN_IF_ERROR(StartOne(&daemons_[i], -1));
  const AgentCount count(master(), agents_.size());
  const int64_t until_ms = BootTimeNow().ms + kStartMs;
  while (true) {
    const int64_t left_ms = until_ms - BootTimeNow().ms;
    pollfd wait[2] = {{count.ready(), POLLIN, 0}, {signals_, POLLIN, 0}};
    if (left_ms <= 0 || poll(wait, 2, static_cast<int>(left_ms)) == 0) {
      return absl::DeadlineExceededError(
          absl::StrCat("not all of ", agents_.size(), " agents joined the master within ",
                       kStartMs / 1000, " s", EndOfLog(agents_[0].name)));
    }
    if (wait[0].revents != 0) return absl::OkStatus();
    signalfd_siginfo info;
    while (read(signals_, &info, sizeof(info)) == sizeof(info)) {
      if (info.ssi_signo != SIGCHLD) return absl::CancelledError("stopped while it started");
      RETURN_IF_ERROR(CheckAllAlive());
    }
  }
}

absl::Status DevCluster::CheckAllAlive() {
  int status = 0;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    for (Daemon& daemon : daemons_) {
      if (daemon.process.pid != pid) continue;
      daemon.process = {};
      return absl::InternalError(absl::StrCat(daemon.name, " ended at its start (",
                                              HowEnded(status), ")", EndOfLog(daemon.name)));
    }
  }
  return absl::OkStatus();
}

std::string DevCluster::EndOfLog(const std::string& name) const {
  constexpr size_t kLines = 5;
  std::ifstream file(absl::StrCat(logs(), "/", name, ".log"));
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back("  " + line);
    if (lines.size() > kLines) lines.erase(lines.begin());
  }
  if (lines.empty()) return "; it said nothing";
  return absl::StrCat("; it said:\n", absl::StrJoin(lines, "\n"));
}

void DevCluster::ReapAndRestart(const std::function<void(const std::string&)>& say) {
  int status = 0;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    for (Daemon& daemon : daemons_) {
      if (daemon.process.pid != pid) continue;
      daemon.process = {};
      const bool early = BootTimeNow().ms - daemon.started_ms < kEarlyEndMs;
      daemon.early_ends = early ? daemon.early_ends + 1 : 0;
      const std::string what = NameForPeople(daemon.name);
      if (daemon.early_ends >= kMostEarlyEnds) {
        say(absl::StrCat(what, " keeps ending (", HowEnded(status), "), so it stays down",
                         EndOfLog(daemon.name)));
        break;
      }
      const absl::Status again = StartOne(&daemon, -1);
      say(absl::StrCat(what, " ended (", HowEnded(status), "); ",
                       again.ok() ? "started again" : std::string(again.message())));
    }
  }
}

void DevCluster::Run(const std::function<void(const std::string&)>& say) {
  while (true) {
    pollfd wait{signals_, POLLIN, 0};
    if (poll(&wait, 1, -1) < 0 && errno != EINTR) return;
    signalfd_siginfo info;
    while (read(signals_, &info, sizeof(info)) == sizeof(info)) {
      if (info.ssi_signo != SIGCHLD) return;
      ReapAndRestart(say);
    }
  }
}

}  // namespace proffer::cli
