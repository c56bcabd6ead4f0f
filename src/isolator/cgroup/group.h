// The control groups of one container, in every tree.
#pragma once

#include <string>

#include "isolator/cgroup/usage.h"
#include "isolator/cgroup/world.h"
#include "isolator/kernel.h"
#include "isolator/launch_plan.h"

namespace proffer::isolator {

// Functions that return a text return why not, or "".
class CgroupGroup {
 public:
  // Both must outlive this. `path` is below every tree, as in "proffer/7-12".
  CgroupGroup(Kernel& kernel, const CgroupWorld& world, std::string path);

  // Makes the groups and writes the limits. One that is there already is taken.
  std::string Create(const CgroupLimits& limits) const;
  // A descriptor for CLONE_INTO_CGROUP, or -1 if there is no v2 tree.
  int OpenForClone() const;
  // Puts the process into those groups that CLONE_INTO_CGROUP does not reach: back to back, because
  // the first of them waits for an RCU grace period and the others then do not.
  std::string Attach(int pid) const;
  // An eventfd that is readable after memory ran out (v1 only), or -1. On v2 the kernel kills the
  // whole group by itself.
  int OpenOutOfMemoryEvent() const;

  // SIGKILL to every process. Returns how many there were; call again until it is 0.
  int KillAll() const;
  // Removes the groups, which must be empty.
  std::string Remove() const;
  // Removes the groups, killing whoever is in them, for at most so long.
  std::string Destroy(int patience_ms) const;

  CgroupUsage FinalUsage() const { return ReadFinalCgroupUsage(kernel_, world_, path_); }
  uint64_t OomKills() const { return ReadOomKills(kernel_, world_, path_); }
  const std::string& path() const { return path_; }

 private:
  std::string TrackingProcs() const;

  Kernel& kernel_;
  const CgroupWorld& world_;
  const std::string path_;
};

// Makes `root` in every tree, ready for groups below it (v2: controllers delegated all the way).
std::string PrepareCgroupRoot(Kernel& kernel, const CgroupWorld& world, const std::string& root);
// The containers that have a group below `root` in any tree, sorted, each once.
std::vector<std::string> ListGroups(Kernel& kernel, const CgroupWorld& world,
                                    const std::string& root);

}  // namespace proffer::isolator
