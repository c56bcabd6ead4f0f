// Which control groups this machine has, and where. Read once.
//
//   v1      one tree a controller
//   hybrid  controllers in v1 trees, and a v2 tree without them that still tracks and kills
//   v2      one tree for everything
#pragma once

#include <string>
#include <vector>

namespace proffer::isolator {

enum class CgroupKind { kNone = 0, kV1 = 1, kHybrid = 2, kV2 = 3 };
const char* Name(CgroupKind kind);

// Mount points; empty: not there. On v2 all but `unified` are empty.
struct CgroupWorld {
  CgroupKind kind = CgroupKind::kNone;
  std::string cpu;
  std::string
      cpuacct;  // May be the same as cpu. Not used where the v2 tree counts: it always does.
  std::string memory;
  std::string pids;
  std::string freezer;
  std::string unified;
  // What is missing when the kind is none.
  std::string why_none;

  // Every tree a container has a group in, each once; the one that tracks it first.
  std::vector<std::string> Trees() const;
};

// `mountinfo` as in proc(5); `controllers` is cgroup.controllers of the v2 tree, if there is one.
CgroupWorld ParseCgroupWorld(const std::string& mountinfo, const std::string& controllers);
// Of this machine. `use_unified` false: as if there were no v2 tree.
CgroupWorld DetectCgroupWorld(bool use_unified);

}  // namespace proffer::isolator
