#include "chaos/campaign.h"

#include <fcntl.h>
#include <glog/logging.h>
#include <signal.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "chaos/command.h"
#include "chaos/groups.h"
#include "chaos/result.h"
#include "common/base/clock.h"

extern char** environ;

namespace proffer::chaos {
namespace {

// Short paths, and no disk whose slowness everybody would share.
constexpr char kRoot[] = "/dev/shm/";
constexpr char kStamp[] = "pfchaos-";
constexpr size_t kUniqueLetters = 6;  // mkdtemp's.

volatile sig_atomic_t interrupted = 0;
void Interrupt(int) { interrupted = 1; }

// A directory of a campaign, and the lock that says that it lives.
class Directory {
 public:
  Directory() {
    std::string name = std::string(kRoot) + kStamp + "XXXXXX";
    PCHECK(mkdtemp(name.data()) != nullptr);
    path_ = name;
    lock_ = open((path_ + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    PCHECK(flock(lock_, LOCK_EX | LOCK_NB) == 0);
  }
  ~Directory() {
    std::filesystem::remove_all(path_);
    close(lock_);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int lock_ = -1;
};

void RemoveAll(const std::string& root) {
  const std::string why = RemoveGroups(root);
  if (!why.empty()) LOG(WARNING) << root << ": " << why;
}

// Of campaigns that died: their processes, namespaces and mounts went with them, their directories
// and control groups did not.
void RemoveLeftovers() {
  for (const auto& entry : std::filesystem::directory_iterator(kRoot)) {
    if (entry.path().filename().string().rfind(kStamp, 0) != 0) continue;
    const int lock = open((entry.path() / "lock").c_str(), O_RDWR | O_CLOEXEC);
    if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0) {
      std::error_code ignored;
      std::filesystem::remove_all(entry.path(), ignored);
    }
    if (lock >= 0) close(lock);
  }
  for (const std::string& root : GroupRoots(kStamp)) {
    // The names of those of a campaign begin with that of its directory.
    const std::string campaign = root.substr(0, std::strlen(kStamp) + kUniqueLetters);
    if (!std::filesystem::exists(kRoot + campaign)) RemoveAll(root);
  }
}

// Lives one run in a process of its own, process 1 of new namespaces: whatever happens to us, the
// kernel ends it, and with it everything inside.
Result LiveApart(const CampaignOptions& options, uint64_t seed, const std::string& directory,
                 const std::string& groups) {
  std::filesystem::create_directory(directory);
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  const std::string output = directory + "/run.log";
  std::vector<std::string> words = {"setpriv",
                                    "--pdeathsig",
                                    "KILL",
                                    "unshare",
                                    "--net",
                                    "--mount",
                                    "--pid",
                                    "--fork",
                                    "--kill-child=SIGKILL",
                                    "--mount-proc",
                                    self,
                                    "--live",
                                    absl::StrCat("--seed=", seed),
                                    absl::StrCat("--faults_ms=", options.faults_ms),
                                    absl::StrCat("--directory=", directory)};
  if (!groups.empty()) words.push_back("--groups=" + groups);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_t pid = 0;
  CHECK_EQ(posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  while (waitpid(pid, &status, 0) != pid) {
    if (interrupted != 0) kill(pid, SIGKILL);
  }
  // Its containers are dead, as all of it; their groups are the machine's.
  if (!groups.empty()) {
    for (const std::string& root : GroupRoots(groups + "-")) RemoveAll(root);
  }
  Result result = ParseResult(ReadWhole(directory + "/result"));
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    const std::string said = ReadWhole(output);
    result.violations.push_back(
        absl::StrCat("the run's process has ended with status ", status, ": ",
                     said.substr(said.size() - std::min<size_t>(said.size(), 2'000))));
  }
  return result;
}

std::string PrintFaults(const std::map<std::string, int>& faults) {
  return absl::StrJoin(faults, " ", absl::PairFormatter("="));
}

// How long a leader or the agents kept us waiting with nothing that they waited for themselves.
int64_t SlownessMs(const Result& result) {
  const auto figure = [&](const char* name) {
    const auto found = result.figures.find(name);
    return found == result.figures.end() ? 0 : found->second;
  };
  return std::max(figure("leader_ms") - figure("zookeeper_ms"),
                  figure("agents_ms") - figure("leader_ms"));
}

void Keep(const CampaignOptions& options, uint64_t seed, const Result& result,
          const std::string& directory) {
  const std::string kept = absl::StrCat(options.keep, "/seed-", seed);
  std::error_code ignored;
  std::filesystem::remove_all(kept, ignored);
  std::filesystem::create_directories(kept);
  std::ofstream(kept + "/story") << absl::StrJoin(result.story, "\n") << "\n";
  for (const char* part : {"logs", "witness", "clients", "result", "run.log"}) {
    std::filesystem::copy(directory + "/" + part, kept + "/" + part,
                          std::filesystem::copy_options::recursive, ignored);
  }
  std::printf("  records: %s\n  again: scripts/chaos.sh --runs 1 --seed %llu\n", kept.c_str(),
              static_cast<unsigned long long>(seed));
}

void WriteLedger(const CampaignOptions& options, int runs, const std::map<std::string, int>& faults,
                 size_t violations) {
  const int64_t now = UnixNowMs() / 1'000;
  std::tm date{};
  gmtime_r(&now, &date);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%d", &date);
  std::ofstream(options.ledger, std::ios::app)
      << text << "\t" << options.commit << "\t" << runs << "\t" << PrintFaults(faults) << "\t"
      << violations << "\n";
}

}  // namespace

std::string WhyNot() {
  if (geteuid() != 0) return "only root can make network namespaces";
  for (const char* file : {"/usr/bin/java", "/usr/share/java/zookeeper.jar", "/usr/sbin/nft"}) {
    if (!std::filesystem::exists(file)) {
      return absl::StrCat("there is no ", file, "; scripts/install.sh --all installs it");
    }
  }
  if (!std::filesystem::exists("/dev/net/tun")) {
    return "there is no /dev/net/tun, by which packets are delayed";
  }
  std::string said;
  if (!RunCommand({"unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "true"}, "",
                  &said)) {
    return "namespaces cannot be made here: " + said;
  }
  return "";
}

int RunCampaign(const CampaignOptions& options) {
  // No SA_RESTART: a wait is to notice.
  struct sigaction action {};
  action.sa_handler = Interrupt;
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaction(number, &action, nullptr);
  RemoveLeftovers();
  const Directory directory;
  // Ours as long as the directory is; other campaigns remove those of the dead.
  const std::string name = std::filesystem::path(directory.path()).filename().string();
  const std::string why_not_contained = WhyNoContainers(name + "-trial");
  if (!why_not_contained.empty()) {
    std::printf("no containers, because %s: all tasks are process groups\n",
                why_not_contained.c_str());
  }
  const Time begin = BootTimeNow();
  const auto goes_on = [&](int done) {
    if (interrupted != 0) return false;
    return options.minutes > 0 ? BootTimeNow() - begin < options.minutes * 60'000
                               : done < options.runs;
  };
  int runs = 0;
  int voids = 0;
  size_t violations = 0;
  std::map<std::string, int> faults;
  std::map<std::string, std::vector<int64_t>> figures;
  for (; goes_on(runs); ++runs) {
    const uint64_t seed = options.seed + static_cast<uint64_t>(runs);
    const std::string own = absl::StrCat(directory.path(), "/", runs);
    const std::string groups = absl::StrCat(name, "-", runs);
    const Result result =
        LiveApart(options, seed, own, why_not_contained.empty() ? groups : std::string());
    if (interrupted != 0) break;
    int all = 0;
    for (const auto& [kind, times] : result.faults) {
      faults[kind] += times;
      all += times;
    }
    for (const auto& [what, value] : result.figures) figures[what].push_back(value);
    if (result.void_because.empty()) {
      violations += result.violations.size();
    } else {
      ++voids;
    }
    std::printf("seed %llu: %d faults, %s, violations %zu\n", static_cast<unsigned long long>(seed),
                all, absl::StrJoin(result.figures, " ", absl::PairFormatter("=")).c_str(),
                result.violations.size());
    for (const std::string& one : result.violations) std::printf("  %s\n", one.c_str());
    if (!result.void_because.empty()) {
      std::printf("  void, and not counted: %s\n", result.void_because.c_str());
    }
    const bool slow = options.keep_slow_ms > 0 && SlownessMs(result) >= options.keep_slow_ms;
    if (slow || !result.violations.empty()) Keep(options, seed, result, own);
    std::fflush(stdout);
    std::filesystem::remove_all(own);
  }
  std::printf("%d runs, %d void, violations %zu\nfaults: %s\n", runs, voids, violations,
              PrintFaults(faults).c_str());
  for (const auto& [what, values] : figures) {
    std::printf("%-16s p50 %lld p90 %lld\n", what.c_str(),
                static_cast<long long>(Percentile(values, 50)),
                static_cast<long long>(Percentile(values, 90)));
  }
  if (!options.ledger.empty() && runs > voids) {
    WriteLedger(options, runs - voids, faults, violations);
  }
  if (interrupted != 0) return 130;
  return violations == 0 ? 0 : 129;
}

}  // namespace proffer::chaos
