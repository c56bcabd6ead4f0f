#include "chaos/groups.h"

#include "isolator/cgroup/group.h"

namespace proffer::chaos {
namespace {

constexpr int kDieMs = 5'000;

const isolator::CgroupWorld& World() {
  static const auto* world = new isolator::CgroupWorld(isolator::DetectCgroupWorld(true));
  return *world;
}

}  // namespace

std::string WhyNoContainers(const std::string& trial) {
  if (World().kind == isolator::CgroupKind::kNone) return World().why_none;
  // To be seen is not to be written to: a tree may be mounted read-only.
  std::string why = isolator::PrepareCgroupRoot(isolator::RealKernel(), World(), trial);
  const std::string left = RemoveGroups(trial);
  return why.empty() ? left : why;
}

std::vector<std::string> GroupsBelow(const std::string& root) {
  return isolator::ListGroups(isolator::RealKernel(), World(), root);
}

std::vector<std::string> GroupRoots(const std::string& prefix) {
  std::vector<std::string> roots;
  for (const std::string& name : GroupsBelow("")) {
    if (name.compare(0, prefix.size(), prefix) == 0) roots.push_back(name);
  }
  return roots;
}

std::string RemoveGroups(const std::string& root) {
  isolator::Kernel& kernel = isolator::RealKernel();
  std::string left;
  for (const std::string& name : GroupsBelow(root)) {
    left += isolator::CgroupGroup(kernel, World(), root + "/" + name).Destroy(kDieMs);
  }
  return left + isolator::CgroupGroup(kernel, World(), root).Remove();
}

}  // namespace proffer::chaos
