#include "isolator/cgroup/group.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <utility>

#include "isolator/cgroup/writes.h"

namespace proffer::isolator {
namespace {

std::string Why(const std::string& what, const std::string& path, int error) {
  return "cgroup " + path + " could not be " + what + ": " + strerror(error);
}

std::vector<int> Pids(Kernel& kernel, const std::string& procs) {
  std::vector<int> pids;
  std::string text;
  if (kernel.Read(procs, &text) != 0) return pids;
  std::istringstream stream(text);
  for (int pid = 0; stream >> pid;) {
    // 0: of a pid namespace that we cannot see.
    if (pid > 1) pids.push_back(pid);
  }
  return pids;
}

// Left alone, all containers together would weigh as much as a single process of the system, on
// however many processors. Here they weigh as much as one on each.
std::string GiveRootItsShare(Kernel& kernel, const CgroupWorld& world, const std::string& tree,
                             const std::string& directory) {
  constexpr int64_t kMostShares = 262'144;
  constexpr int64_t kMostWeight = 10'000;
  const int64_t processors = std::max<int64_t>(sysconf(_SC_NPROCESSORS_ONLN), 1);
  int error = 0;
  if (world.kind == CgroupKind::kV2) {
    error = kernel.Write(directory + "/cpu.weight",
                         std::to_string(std::min(processors * 100, kMostWeight)));
  } else if (tree == world.cpu) {
    error = kernel.Write(directory + "/cpu.shares",
                         std::to_string(std::min(processors * 1024, kMostShares)));
  }
  return error == 0 ? "" : Why("given its share of the processors", directory, error);
}

}  // namespace

CgroupGroup::CgroupGroup(Kernel& kernel, const CgroupWorld& world, std::string path)
    : kernel_(kernel), world_(world), path_(std::move(path)) {}

std::string CgroupGroup::Create(const CgroupLimits& limits) const {
  for (const std::string& tree : world_.Trees()) {
    const std::string directory = tree + "/" + path_;
    const int error = kernel_.MakeDirectory(directory);
    if (error != 0 && error != EEXIST) return Why("made", directory, error);
  }
  for (const CgroupWrite& write : WritesFor(limits, world_)) {
    const std::string file = write.tree + "/" + path_ + "/" + write.file;
    const int error = kernel_.Write(file, write.value);
    if (error != 0 && !write.optional) {
      return Why("limited (" + write.file + " to " + write.value + ")", write.tree + "/" + path_,
                 error);
    }
  }
  return "";
}

int CgroupGroup::OpenForClone() const {
  if (world_.unified.empty()) return -1;
  return open((world_.unified + "/" + path_).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
}

std::string CgroupGroup::Attach(int pid) const {
  const std::string text = std::to_string(pid);
  for (const std::string& tree : world_.Trees()) {
    if (tree == world_.unified) continue;
    const int error = kernel_.Write(tree + "/" + path_ + "/cgroup.procs", text);
    if (error != 0) return Why("entered", tree + "/" + path_, error);
  }
  return "";
}

int CgroupGroup::OpenOutOfMemoryEvent() const {
  if (world_.memory.empty()) return -1;
  const std::string base = world_.memory + "/" + path_;
  const int control = open((base + "/memory.oom_control").c_str(), O_RDONLY | O_CLOEXEC);
  const int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const std::string order = std::to_string(event) + " " + std::to_string(control);
  const bool ok =
      control >= 0 && event >= 0 && kernel_.Write(base + "/cgroup.event_control", order) == 0;
  if (control >= 0) close(control);
  if (ok) return event;
  if (event >= 0) close(event);
  return -1;
}

std::string CgroupGroup::TrackingProcs() const {
  const std::vector<std::string> trees = world_.Trees();
  return trees.empty() ? "" : trees.front() + "/" + path_ + "/cgroup.procs";
}

int CgroupGroup::KillAll() const {
  const std::vector<int> pids = Pids(kernel_, TrackingProcs());
  if (pids.empty()) return 0;
  const int count = static_cast<int>(pids.size());
  if (!world_.unified.empty() &&
      kernel_.Write(world_.unified + "/" + path_ + "/cgroup.kill", "1") == 0) {
    return count;
  }
  // Frozen, none of them can fork while the others die; v1 lets them die only once thawed.
  const std::string state = world_.freezer + "/" + path_ + "/freezer.state";
  if (!world_.freezer.empty()) kernel_.Write(state, "FROZEN");
  for (const int pid : Pids(kernel_, TrackingProcs())) kernel_.Kill(pid);
  if (!world_.freezer.empty()) kernel_.Write(state, "THAWED");
  return count;
}

std::string CgroupGroup::Remove() const {
  std::string why;
  for (const std::string& tree : world_.Trees()) {
    const std::string directory = tree + "/" + path_;
    const int error = kernel_.RemoveDirectory(directory);
    if (error != 0 && error != ENOENT && why.empty()) why = Why("removed", directory, error);
  }
  return why;
}

std::string CgroupGroup::Destroy(int patience_ms) const {
  constexpr int kAgainMs = 5;  // A process that has just died still holds its group for a moment.
  std::string why = Remove();
  int alive = 0;
  for (int waited_ms = 0; !why.empty() && waited_ms < patience_ms; waited_ms += kAgainMs) {
    alive = KillAll();
    const timespec pause = {0, kAgainMs * 1'000'000};
    nanosleep(&pause, nullptr);
    why = Remove();
  }
  if (why.empty()) return "";
  return "container " + path_ + " is quarantined: " +
         (alive > 0 ? "its processes do not die (waiting for a device?)" : why);
}

std::string PrepareCgroupRoot(Kernel& kernel, const CgroupWorld& world, const std::string& root) {
  for (const std::string& tree : world.Trees()) {
    std::string directory = tree;
    std::istringstream parts(root);
    for (std::string part; std::getline(parts, part, '/');) {
      if (world.kind == CgroupKind::kV2) {
        const int error = kernel.Write(directory + "/cgroup.subtree_control", "+cpu +memory +pids");
        if (error != 0) return Why("given its controllers", directory, error);
      }
      directory += "/" + part;
      const int error = kernel.MakeDirectory(directory);
      if (error != 0 && error != EEXIST) return Why("made", directory, error);
      // The memory.low of a container counts for no more than that of what is above it, which is 0
      // unless told. Only what is ours: an operator's group keeps what the operator has set.
      const bool ours = error == 0 || parts.eof();
      if (world.kind == CgroupKind::kV2 && ours) {
        const int low_error = kernel.Write(directory + "/memory.low", "max");
        if (low_error != 0) return Why("given memory.low", directory, low_error);
      }
    }
    const std::string why = GiveRootItsShare(kernel, world, tree, directory);
    if (!why.empty()) return why;
    if (world.kind == CgroupKind::kV2) {
      const int error = kernel.Write(directory + "/cgroup.subtree_control", "+cpu +memory +pids");
      if (error != 0) return Why("given its controllers", directory, error);
    }
  }
  return "";
}

std::vector<std::string> ListGroups(Kernel& kernel, const CgroupWorld& world,
                                    const std::string& root) {
  std::set<std::string> names;
  for (const std::string& tree : world.Trees()) {
    std::vector<std::string> here;
    kernel.Subdirectories(tree + "/" + root, &here);
    names.insert(here.begin(), here.end());
  }
  return {names.begin(), names.end()};
}

}  // namespace proffer::isolator
