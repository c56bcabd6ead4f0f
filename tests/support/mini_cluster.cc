#include "support/mini_cluster.h"

#include <dirent.h>
#include <fcntl.h>
#include <glog/logging.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/clock.h"
#include "common/rpc/channel.h"
#include "common/rpc/deadline.h"
#include "support/loopback.h"

extern char** environ;

namespace proffer::testing {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

MiniCluster::MiniCluster(Options options)
    : options_(std::move(options)),
      binaries_(options_.binaries.empty() ? absl::StrCat(PROFFER_BINARY_DIR, "/bin")
                                          : options_.binaries) {
  // Containers have a /tmp of their own, and tests meet their tasks in this directory.
  std::string name = options_.contained ? "/run/pfXXXXXX" : "/tmp/pfXXXXXX";
  CHECK(mkdtemp(name.data()) != nullptr);
  directory_ = name;
  // On tmpfs, as it is meant to be.
  std::string runtime = "/dev/shm/pfXXXXXX";
  CHECK(mkdtemp(runtime.data()) != nullptr);
  runtime_directory_ = runtime;
  if (options_.tcp) {
    for (int i = 1; i <= options_.masters; ++i) ports_[i] = FreePort();
  }
  for (int i = 1; i <= options_.masters; ++i) StartMaster(i);
  finder_ = *LeaderFinder::Make(options_.zookeeper.empty() ? address() : options_.zookeeper);
  for (int i = 1; i <= options_.agents; ++i) StartAgent(i);
  WaitForAgents(options_.agents);
}

MiniCluster::~MiniCluster() {
  for (auto& [number, pid] : agents_) Kill(&pid, SIGTERM);
  for (auto& [number, pid] : masters_) kill(pid, SIGCONT);
  for (auto& [number, pid] : masters_) Kill(&pid, SIGTERM);
  for (const pid_t pid : TaskProcesses()) kill(pid, SIGKILL);
  launchers_.clear();
  // What was just killed may still hold files open for a moment; names can go all the same.
  std::error_code ignored;
  if (getenv("KEEPDIR") == nullptr) std::filesystem::remove_all(directory_, ignored);
  std::filesystem::remove_all(runtime_directory_, ignored);
}

std::string MiniCluster::address() const {
  if (options_.zookeeper.empty()) return master_address(1);
  if (!options_.by_list) return options_.zookeeper;
  std::vector<std::string> all;
  for (int i = 1; i <= options_.masters; ++i) all.push_back(master_address(i));
  return absl::StrJoin(all, ",");
}
std::string MiniCluster::master_address(int number) const {
  if (options_.tcp) return absl::StrCat("127.0.0.1:", ports_.at(number));
  return absl::StrCat("unix:", directory_, "/m", number, "/s");
}

pid_t MiniCluster::Spawn(const Life& life, const std::vector<std::string>& arguments,
                         const std::string& log) {
  const std::string path = absl::StrCat(binaries_, "/", life.program);
  // A test that dies takes its daemons with it.
  const std::string setpriv = "/usr/bin/setpriv";
  std::vector<std::string> words = {setpriv, "--pdeathsig", "KILL"};
  if (!life.boot_id.empty()) {
    // The kernel's file, hidden by one of ours in a mount namespace of the agent's own.
    const std::string file = absl::StrCat(directory_, "/boot_id");
    std::ofstream(file) << life.boot_id << "\n";
    for (const std::string& word :
         {std::string("/usr/bin/unshare"), std::string("--mount"), std::string("/bin/sh"),
          std::string("-c"),
          std::string("mount --bind \"$0\" /proc/sys/kernel/random/boot_id && exec \"$@\""),
          file}) {
      words.push_back(word);
    }
  }
  if (life.descriptors > 0) {
    words.push_back("/usr/bin/prlimit");
    words.push_back(absl::StrCat("--nofile=", life.descriptors));
  }
  words.push_back(path);
  words.push_back("--logtostderr");
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::vector<std::string> variables = life.environment;
  for (char** one = environ; *one != nullptr; ++one) variables.push_back(*one);
  std::vector<char*> environment;
  for (std::string& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const std::string log_path = absl::StrCat(directory_, "/", log);
  posix_spawn_file_actions_addopen(&actions, 1, log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                   0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_t pid = 0;
  CHECK_EQ(posix_spawn(&pid, setpriv.c_str(), &actions, nullptr, argv.data(), environment.data()),
           0);
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

int MiniCluster::Kill(pid_t* pid, int signal) {
  int status = 0;
  if (*pid == 0) return status;
  if (signal != 0) kill(*pid, signal);
  waitpid(*pid, &status, 0);
  *pid = 0;
  return status;
}

void MiniCluster::StartMaster(int number) {
  std::vector<std::string> arguments = {absl::StrCat("--listen=", master_address(number)),
                                        "--agent_unreachable_ms=15000",
                                        absl::StrCat("--cluster=", options_.cluster)};
  if (options_.tcp) arguments.push_back("--insecure_tcp");
  if (!options_.zookeeper.empty()) {
    arguments.push_back(absl::StrCat("--zk=", options_.zookeeper));
  } else if (options_.on_disk) {
    arguments.push_back(absl::StrCat("--work_dir=", directory_, "/registry"));
  }
  arguments.insert(arguments.end(), options_.master_flags.begin(), options_.master_flags.end());
  masters_[number] = Spawn({"proffer-master", {}, "", options_.master_descriptors}, arguments,
                           number == 1 ? "master.log" : absl::StrCat("master", number, ".log"));
  stub_.reset();
}

int MiniCluster::Leader() {
  stub();
  for (const auto& [number, pid] : masters_) {
    if (master_address(number) == stub_to_.target) return number;
  }
  LOG(FATAL) << stub_to_.target << " is none of our masters";
}

v1::OperatorService::Stub& MiniCluster::stub() {
  if (stub_ != nullptr && options_.zookeeper.empty()) return *stub_;
  const Time give_up = BootTimeNow() + 60'000;
  while (BootTimeNow() < give_up) {
    const std::optional<rpc::Address> leader = finder_->Await(60'000);
    CHECK(leader.has_value()) << "no master leads";
    if (stub_ == nullptr || stub_to_ != *leader) {
      stub_ = v1::OperatorService::NewStub(rpc::MakeChannel(*leader));
      stub_to_ = *leader;
    }
    if (options_.zookeeper.empty()) return *stub_;
    grpc::ClientContext context;
    context.set_deadline(rpc::DeadlineIn(2'000));
    v1::Cluster unused;
    if (stub_->GetCluster(&context, v1::GetClusterRequest(), &unused).ok()) return *stub_;
    stub_.reset();
    usleep(10'000);  // It may read its registry; nobody tells when it is done.
  }
  LOG(FATAL) << "no master leads";
}

void MiniCluster::StartLauncher(int number) {
  std::unique_ptr<LauncherProcess>& launcher = launchers_[number];
  if (launcher != nullptr) {
    launcher->UseBinaries(binaries_);
    return launcher->Start();
  }
  LauncherProcess::Options options;
  options.directory = absl::StrCat(directory_, "/l", number);
  options.binaries = binaries_;
  std::filesystem::create_directory(options.directory);
  options.run_root = runtime_dir(number);
  options.sandbox_root = absl::StrCat(directory_, "/a", number, "/sandboxes");
  if (options_.contained) {
    options.cgroup_root =
        absl::StrCat("proffer-test-", directory_.substr(directory_.size() - 6), "-", number);
  }
  launcher = std::make_unique<LauncherProcess>(options);
}

void MiniCluster::StartAgent(int number, const Life& life) {
  if (launchers_[number] == nullptr) StartLauncher(number);
  std::vector<std::string> arguments = {absl::StrCat("--master=", address()),
                                        absl::StrCat("--work_dir=", work_dir(number)),
                                        absl::StrCat("--runtime_dir=", runtime_dir(number)),
                                        absl::StrCat("--launcher=", launchers_[number]->socket()),
                                        absl::StrCat("--hostname=a", number),
                                        absl::StrCat("--attributes=number:", number),
                                        absl::StrCat("--resources=", options_.resources)};
  arguments.insert(arguments.end(), options_.agent_flags.begin(), options_.agent_flags.end());
  agents_[number] = Spawn(life, arguments, absl::StrCat("agent", number, ".log"));
}

std::string MiniCluster::work_dir(int agent) const { return absl::StrCat(directory_, "/a", agent); }
std::string MiniCluster::runtime_dir(int agent) const {
  return absl::StrCat(runtime_directory_, "/r", agent);
}
std::string MiniCluster::agent_log(int agent) const {
  return ReadFile(absl::StrCat(directory_, "/agent", agent, ".log"));
}

std::string MiniCluster::RunAgentIn(const std::string& work_dir) {
  const pid_t pid =
      Spawn({"proffer-agent", {}, ""},
            {absl::StrCat("--master=", address()), absl::StrCat("--work_dir=", work_dir),
             absl::StrCat("--runtime_dir=", runtime_directory_, "/stranger"), "--hostname=stranger",
             absl::StrCat("--resources=", options_.resources)},
            "stranger.log");
  waitpid(pid, nullptr, 0);
  return ReadFile(absl::StrCat(directory_, "/stranger.log"));
}

void MiniCluster::KillMaster(int number) { Kill(&masters_[number], SIGKILL); }
void MiniCluster::PauseMaster(int number) const { kill(masters_.at(number), SIGSTOP); }
void MiniCluster::ResumeMaster(int number) const { kill(masters_.at(number), SIGCONT); }
int MiniCluster::AwaitMasterEnd(int number) { return Kill(&masters_[number], 0); }
void MiniCluster::KillAgent(int number) { Kill(&agents_[number], SIGKILL); }
int MiniCluster::StopAgent(int number) { return Kill(&agents_[number], SIGTERM); }
int MiniCluster::AwaitAgentEnd(int number) {
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, agents_[number], 0));
  pollfd wait = {fd, POLLIN, 0};
  const bool ended = poll(&wait, 1, 20'000) == 1;
  close(fd);
  if (!ended) LOG(ERROR) << "the agent lives on; it is killed";
  return Kill(&agents_[number], ended ? 0 : SIGKILL);
}
void MiniCluster::KillLauncher(int number) { launchers_[number]->Kill(); }

void MiniCluster::CutPower(int number, bool runtime_on_tmpfs) {
  KillAgent(number);
  KillLauncher(number);
  // Shims first, which could still write something down.
  std::vector<pid_t> left;
  while (!(left = ShimsAndTasks(number)).empty()) {
    for (const pid_t pid : left) kill(pid, SIGKILL);
  }
  launchers_[number]->Clean();
  if (runtime_on_tmpfs) std::filesystem::remove_all(runtime_dir(number));
}

std::vector<pid_t> MiniCluster::ShimsAndTasks(int agent) const {
  std::vector<pid_t> shims;
  std::vector<pid_t> tasks;
  const std::string run = runtime_dir(agent) + "/";
  const std::string sandboxes = work_dir(agent) + "/sandboxes/";
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 1 || pid == getpid() || pid == agents_.at(agent)) continue;
    if (ReadFile(entry.path() / "environ").find(sandboxes) != std::string::npos) {
      tasks.push_back(pid);
      continue;
    }
    for (const auto& fd : std::filesystem::directory_iterator(entry.path() / "fd", ignored)) {
      if (absl::StartsWith(std::filesystem::read_symlink(fd, ignored).string() + "/", run)) {
        shims.push_back(pid);
        break;
      }
    }
  }
  shims.insert(shims.end(), tasks.begin(), tasks.end());
  return shims;
}

std::vector<std::string> MiniCluster::Remains(int agent) const {
  std::vector<std::string> remains;
  for (const pid_t pid : ShimsAndTasks(agent)) remains.push_back(absl::StrCat("process ", pid));
  if (options_.contained) {
    for (const std::string& group : launcher(agent).Groups()) remains.push_back("cgroup " + group);
  }
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(runtime_dir(agent), ignored)) {
    if (entry.is_directory()) remains.push_back(entry.path().string());
  }
  return remains;
}

std::vector<std::string> MiniCluster::AwaitNoRemains(int agent) const {
  const Time give_up = BootTimeNow() + 20'000;
  std::vector<std::string> remains = Remains(agent);
  // The kernel tells nobody when the last of a group's processes has gone.
  while (!remains.empty() && BootTimeNow() < give_up) {
    usleep(5'000);
    remains = Remains(agent);
  }
  return remains;
}

std::vector<v1::Object> MiniCluster::List(v1::Kind kind, bool live_only) {
  std::vector<v1::Object> objects;
  v1::ListRequest request;
  request.set_kind(kind);
  request.set_live_only(live_only);
  for (bool more = true; more;) {
    grpc::ClientContext context;
    context.set_wait_for_ready(options_.zookeeper.empty());
    context.set_deadline(rpc::DeadlineIn(30'000));
    v1::ListResponse response;
    const grpc::Status status = stub().List(&context, request, &response);
    if (!status.ok() && !options_.zookeeper.empty()) {  // The lead may have changed.
      stub_.reset();
      objects.clear();
      request.clear_page_token();
      continue;
    }
    CHECK(status.ok()) << status.error_message();
    objects.insert(objects.end(), response.objects().begin(), response.objects().end());
    request.set_page_token(response.next_page_token());
    more = !request.page_token().empty();
  }
  return objects;
}

void MiniCluster::WaitUntil(v1::Kind kind,
                            const std::function<bool(const std::vector<v1::Object>&)>& done) {
  const Time give_up = BootTimeNow() + 60'000;
  while (BootTimeNow() < give_up) {
    grpc::ClientContext context;
    context.set_wait_for_ready(options_.zookeeper.empty());
    context.set_deadline(rpc::DeadlineIn(10'000));
    v1::WatchRequest request;
    request.add_kinds(kind);
    auto reader = stub().Watch(&context, request);
    v1::WatchEvent event;
    // Every change is a reason to look at the whole list again.
    bool seen = false;
    while (!seen && reader->Read(&event)) {
      if (event.has_snapshot() && !event.snapshot().last()) continue;
      seen = done(List(kind));
    }
    context.TryCancel();
    reader->Finish();
    if (seen) return;
    if (!options_.zookeeper.empty()) stub_.reset();
  }
  LOG(FATAL) << "what was waited for did not come within 60 s; logs are in " << directory_;
}

void MiniCluster::WaitForAgents(int connected) {
  WaitUntil(v1::AGENTS, [connected](const std::vector<v1::Object>& objects) {
    return connected == std::count_if(objects.begin(), objects.end(), [](const v1::Object& o) {
             return o.agent().state() == v1::CONNECTED;
           });
  });
}

bool MiniCluster::AllFree() {
  const std::vector<v1::Object> agents = List(v1::AGENTS);
  return std::all_of(agents.begin(), agents.end(), [](const v1::Object& o) {
    return o.agent().used().empty() && o.agent().offered().empty();
  });
}

std::vector<pid_t> MiniCluster::TaskProcesses() const {
  std::vector<pid_t> found;
  DIR* proc = opendir("/proc");
  CHECK(proc != nullptr);
  while (const dirent* entry = readdir(proc)) {
    const pid_t pid = std::atoi(entry->d_name);
    if (pid <= 1 || pid == getpid()) continue;
    const auto is_it = [pid](const auto& daemon) { return daemon.second == pid; };
    if (std::any_of(masters_.begin(), masters_.end(), is_it) ||
        std::any_of(agents_.begin(), agents_.end(), is_it) ||
        std::any_of(launchers_.begin(), launchers_.end(),
                    [pid](const auto& launcher) { return launcher.second->pid() == pid; })) {
      continue;
    }
    const std::string base = absl::StrCat("/proc/", pid);
    const std::string marks = ReadFile(base + "/cmdline") + ReadFile(base + "/environ");
    if (marks.find(directory_) != std::string::npos) found.push_back(pid);
  }
  closedir(proc);
  return found;
}

double Percentile(std::vector<double> values, double percent) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t rank = static_cast<size_t>(std::ceil(percent / 100 * values.size()));
  return values[std::clamp<size_t>(rank, 1, values.size()) - 1];
}

}  // namespace proffer::testing
