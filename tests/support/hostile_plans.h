// Plans that a launcher must refuse, each with a part of what it says.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "isolator/launch_plan.h"

namespace proffer::testing {

// What every one of them differs from in one thing: good for a launcher with these roots, whose
// setting users is 1000-59999 65534 and whose setting capabilities is NET_BIND_SERVICE.
inline isolator::LaunchPlan GoodPlan(const std::string& run_root, const std::string& sandbox_root) {
  isolator::LaunchPlan plan;
  plan.name = "7-12";
  plan.run_dir = run_root + "/7-12";
  plan.sandbox = sandbox_root + "/fw/task/7-12";
  plan.argv = {"sh", "-c", "true"};
  plan.environment = {"A=b"};
  plan.working_directory = plan.sandbox;
  plan.path = "/bin";
  plan.switch_user = true;
  plan.user = "nobody";
  plan.uid = 65534;
  plan.gid = 65534;
  plan.drop_capabilities = true;
  plan.use_cgroups = true;
  plan.cgroup = {1000, 0, 64 << 20, 64 << 20, 1024};
  plan.namespaces = isolator::kAllNamespaces;
  plan.mounts = {isolator::Mount::kPrivateDev, isolator::Mount::kPrivateTmp};
  plan.log_files = 2;
  return plan;
}

struct Hostile {
  const char* expected;
  std::function<void(isolator::LaunchPlan*)> change;
};

inline std::vector<Hostile> HostilePlans(const std::string& run_root,
                                         const std::string& sandbox_root) {
  std::vector<Hostile> all;
  const auto add = [&all](const char* expected, std::function<void(isolator::LaunchPlan*)> change) {
    all.push_back({expected, std::move(change)});
  };
  for (const std::string& name :
       {std::string(""), std::string("."), std::string(".."), std::string("a/b"),
        std::string("../x"), std::string("a b"), std::string("a\nb"), std::string("a\0b", 3),
        std::string(65, 'x'), std::string("\xff")}) {
    add("the container's name", [name, run_root](isolator::LaunchPlan* plan) {
      plan->name = name;
      plan->run_dir = run_root + "/" + name;
    });
  }
  for (const std::string& dir :
       {std::string(""), std::string("/"), std::string("/etc"), run_root, run_root + "/",
        run_root + "/7-13", run_root + "/7-12/", run_root + "/../7-12", run_root + "/7-12/..",
        run_root.substr(1) + "/7-12"}) {
    add("the run directory must be", [dir](isolator::LaunchPlan* plan) { plan->run_dir = dir; });
  }
  for (const std::string& dir :
       {std::string(""), std::string("/"), std::string("/etc"), std::string("/root/.ssh"),
        sandbox_root, sandbox_root + "/", sandbox_root + "/..", sandbox_root + "X/a",
        sandbox_root + "/../../../etc", sandbox_root + "/a/../../../../etc", sandbox_root + "//etc",
        sandbox_root + "/a/./b", sandbox_root + std::string("/a\0b", 4),
        sandbox_root + "/" + std::string(5000, 'a')}) {
    add("the sandbox must lie below", [dir](isolator::LaunchPlan* plan) { plan->sandbox = dir; });
  }
  for (const std::string& dir : {std::string(""), std::string("relative"), std::string("/a\0b", 4),
                                 "/" + std::string(5000, 'a')}) {
    add("the working directory",
        [dir](isolator::LaunchPlan* plan) { plan->working_directory = dir; });
  }
  add("the program has no name", [](isolator::LaunchPlan* plan) { plan->argv.clear(); });
  add("the program has no name", [](isolator::LaunchPlan* plan) { plan->argv = {""}; });
  add("an argument contains",
      [](isolator::LaunchPlan* plan) { plan->argv[0] = std::string("a\0b", 3); });
  add("an argument contains",
      [](isolator::LaunchPlan* plan) { plan->argv[2] = std::string("a\0b", 3); });
  for (const std::string& variable :
       {std::string("A"), std::string(""), std::string("=b"), std::string("A=\0", 3)}) {
    add("not NAME=VALUE",
        [variable](isolator::LaunchPlan* plan) { plan->environment = {variable}; });
  }
  add("a text contains", [](isolator::LaunchPlan* plan) { plan->path = std::string("/\0", 2); });
  add("a text contains", [](isolator::LaunchPlan* plan) { plan->user = std::string("a\0", 2); });
  for (const int resource : {-1, 16, 1000, -2147483647}) {
    add("resource limit", [resource](isolator::LaunchPlan* plan) {
      plan->rlimits = {{resource, 1, 1}};
    });
  }
  add("soft above hard", [](isolator::LaunchPlan* plan) { plan->rlimits = {{7, 2, 1}}; });
  for (const uint32_t uid : {0u, 1u, 33u, 990u, 999u, 60000u, 65533u, 65535u, 4294967295u}) {
    add("tasks may not run as user", [uid](isolator::LaunchPlan* plan) { plan->uid = uid; });
  }
  add("tasks may not run as user", [](isolator::LaunchPlan* plan) { plan->switch_user = false; });
  add("may not be in group 0", [](isolator::LaunchPlan* plan) { plan->gid = 0; });
  add("may not be in group 0", [](isolator::LaunchPlan* plan) { plan->groups = {5, 0}; });
  add("more than 65536 groups", [](isolator::LaunchPlan* plan) { plan->groups.assign(65537, 5); });
  add("capabilities must be dropped",
      [](isolator::LaunchPlan* plan) { plan->drop_capabilities = false; });
  for (int bit = 0; bit < 64; ++bit) {
    if (bit == 10) continue;  // NET_BIND_SERVICE is allowed.
    add("may not be kept",
        [bit](isolator::LaunchPlan* plan) { plan->capabilities = uint64_t{1} << bit; });
  }
  add("may not be kept", [](isolator::LaunchPlan* plan) { plan->capabilities = UINT64_MAX; });
  add("limit of processes", [](isolator::LaunchPlan* plan) { plan->cgroup.pids = UINT32_MAX; });
  add("memory is below", [](isolator::LaunchPlan* plan) { plan->cgroup.memory_bytes = 1; });
  add("memory is above",
      [](isolator::LaunchPlan* plan) { plan->cgroup.memory_bytes = UINT64_MAX; });
  add("memory is above",
      [](isolator::LaunchPlan* plan) { plan->cgroup.memory_low_bytes = UINT64_MAX; });
  add("a namespace is unknown", [](isolator::LaunchPlan* plan) { plan->namespaces = UINT32_MAX; });
  add("need the pid namespace", [](isolator::LaunchPlan* plan) { plan->namespaces = 2; });
  add("cgroups need namespaces", [](isolator::LaunchPlan* plan) { plan->namespaces = 0; });
  add("mounts need", [](isolator::LaunchPlan* plan) { plan->namespaces = 1; });
  for (const int kind : {0, 5, 255}) {
    add("a kind of mount", [kind](isolator::LaunchPlan* plan) {
      plan->mounts = {static_cast<isolator::Mount>(kind)};
    });
  }
  add("comes twice",
      [](isolator::LaunchPlan* plan) { plan->mounts.assign(2, isolator::Mount::kProc); });
  add("log files", [](isolator::LaunchPlan* plan) { plan->log_files = 0; });
  add("log files", [](isolator::LaunchPlan* plan) { plan->log_files = UINT32_MAX; });
  return all;
}

}  // namespace proffer::testing
