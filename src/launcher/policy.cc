#include "launcher/policy.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "isolator/process/capability.h"

namespace proffer::launcher {
namespace {

using isolator::LaunchPlan;

constexpr size_t kNameBytes = 64;
constexpr size_t kPathBytes = 3000;
constexpr uint32_t kMostPids = 1u << 22;
constexpr uint64_t kLeastMemory = 1u << 20;

bool HasZero(const std::string& text) { return text.find('\0') != std::string::npos; }

std::string CheckPaths(const LaunchPlan& plan, const Config& config) {
  if (!IsName(plan.name)) {
    return "the container's name must be 1 to 64 of [A-Za-z0-9._-], not a dot alone";
  }
  if (plan.run_dir != config.run_root + "/" + plan.name) {
    return "the run directory must be " + config.run_root + "/" + plan.name + ", not " +
           plan.run_dir;
  }
  const std::string below = config.sandbox_root + "/";
  if (plan.sandbox.compare(0, below.size(), below) != 0 ||
      !IsRelativePath(plan.sandbox.substr(std::min(below.size(), plan.sandbox.size())))) {
    return "the sandbox must lie below " + config.sandbox_root + ", not " + plan.sandbox;
  }
  if (plan.working_directory.empty() || plan.working_directory[0] != '/' ||
      HasZero(plan.working_directory) || plan.working_directory.size() > kPathBytes) {
    return "the working directory must be an absolute path";
  }
  return "";
}

std::string CheckProgram(const LaunchPlan& plan) {
  if (plan.argv.empty() || plan.argv[0].empty()) return "the program has no name";
  for (const std::string& word : plan.argv) {
    if (HasZero(word)) return "an argument contains a zero byte";
  }
  for (const std::string& variable : plan.environment) {
    if (HasZero(variable) || variable.find('=') == std::string::npos || variable[0] == '=') {
      return "a variable of the environment is not NAME=VALUE";
    }
  }
  if (HasZero(plan.path) || HasZero(plan.user)) return "a text contains a zero byte";
  for (const isolator::Rlimit& limit : plan.rlimits) {
    if (limit.resource < 0 || limit.resource >= static_cast<int>(RLIM_NLIMITS)) {
      return "resource limit " + std::to_string(limit.resource) + " does not exist";
    }
    if (limit.soft > limit.hard) return "a resource limit is soft above hard";
  }
  return "";
}

bool UserAllowed(const Config& config, uint32_t uid) {
  return std::any_of(config.users.begin(), config.users.end(), [uid](const auto& range) {
    return range.first <= uid && uid <= range.second;
  });
}

std::string CheckUser(const LaunchPlan& plan, const Config& config, bool root) {
  const uint32_t uid = plan.switch_user ? plan.uid : geteuid();
  if (!root && plan.switch_user) {
    return "the launcher does not run as root, so it cannot run a task as user " +
           std::to_string(plan.uid);
  }
  if (!UserAllowed(config, uid)) {
    return "tasks may not run as user " + std::to_string(uid) +
           "; the launcher's setting users does not list it";
  }
  if (plan.switch_user && uid != 0) {
    // Group 0 opens too many doors; it comes only with user 0.
    const bool zero = plan.gid == 0 || std::count(plan.groups.begin(), plan.groups.end(), 0u) != 0;
    if (zero) return "tasks of user " + std::to_string(uid) + " may not be in group 0";
  }
  if (plan.groups.size() > 65536) return "there are more than 65536 groups";
  if (root && !plan.drop_capabilities) return "capabilities must be dropped";
  const uint64_t beyond = plan.capabilities & ~config.capabilities;
  for (int i = 0; i < 64; ++i) {
    if ((beyond >> i & 1) != 0) {
      return "capability " + isolator::CapabilityName(i) +
             " may not be kept; the launcher's setting capabilities does not list it";
    }
  }
  return "";
}

std::string CheckContainer(const LaunchPlan& plan, bool root, bool cgroups) {
  if (plan.use_cgroups && !cgroups) return "this launcher has no cgroups";
  if (plan.use_cgroups && plan.namespaces == 0) return "cgroups need namespaces";
  if (plan.cgroup.pids > kMostPids) return "the limit of processes is above 4194304";
  if (plan.cgroup.memory_bytes != 0 && plan.cgroup.memory_bytes < kLeastMemory) {
    return "the limit of memory is below 1 MiB";
  }
  if (plan.cgroup.memory_bytes > uint64_t{1} << 62 || plan.cgroup.memory_low_bytes > uint64_t{1}
                                                                                         << 62) {
    return "the limit of memory is above 4 EiB";
  }
  if ((plan.namespaces & ~isolator::kAllNamespaces) != 0) return "a namespace is unknown";
  if (plan.namespaces != 0 && (plan.namespaces & isolator::kPidNamespace) == 0) {
    return "namespaces need the pid namespace among them";
  }
  if (plan.namespaces != 0 && !root) return "namespaces need a launcher that runs as root";
  std::set<isolator::Mount> seen;
  for (const isolator::Mount mount : plan.mounts) {
    if (mount < isolator::Mount::kPrivateDev || mount > isolator::Mount::kReadOnlySys) {
      return "a kind of mount is unknown";
    }
    if (!seen.insert(mount).second) return "a kind of mount comes twice";
  }
  if (!plan.mounts.empty() && (plan.namespaces & isolator::kMountNamespace) == 0) {
    return "mounts need the mount namespace";
  }
  return "";
}

}  // namespace

bool IsName(const std::string& text) {
  if (text.empty() || text.size() > kNameBytes || text == "." || text == "..") return false;
  return std::all_of(text.begin(), text.end(), [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '.' || letter == '_' || letter == '-';
  });
}

bool IsRelativePath(const std::string& text) {
  if (text.empty() || text.size() > kPathBytes || HasZero(text) || text[0] == '/') return false;
  for (size_t at = 0; at <= text.size();) {
    size_t end = text.find('/', at);
    if (end == std::string::npos) end = text.size();
    const std::string part = text.substr(at, end - at);
    if (part.empty() || part == "." || part == "..") return false;
    at = end + 1;
  }
  return true;
}

std::string CheckPlan(const LaunchPlan& plan, const Config& config, bool root, bool cgroups) {
  std::string why = CheckPaths(plan, config);
  if (why.empty()) why = CheckProgram(plan);
  if (why.empty()) why = CheckUser(plan, config, root);
  if (why.empty()) why = CheckContainer(plan, root, cgroups);
  if (why.empty() && (plan.log_files == 0 || plan.log_files > 100)) {
    why = "1 to 100 log files may be kept";
  }
  return why;
}

}  // namespace proffer::launcher
