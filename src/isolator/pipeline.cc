#include "isolator/pipeline.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "isolator/cgroup/writes.h"
#include "isolator/process/capability.h"
#include "isolator/process/turns.h"

namespace proffer::isolator {
namespace {

const std::vector<const Isolator*>& All() {
  static const auto* const kAll = new std::vector<const Isolator*>{
      &kCpuIsolator,        &kMemoryIsolator, &kPidsIsolator, &kNamespaceIsolator,
      &kFilesystemIsolator, &kRlimitIsolator, &kUserIsolator, &kCapabilityIsolator};
  return *kAll;
}

std::string NamespaceNames(uint32_t namespaces) {
  static constexpr struct {
    Namespace bit;
    const char* name;
  } kNames[] = {{kPidNamespace, "pid"},
                {kMountNamespace, "mount"},
                {kIpcNamespace, "ipc"},
                {kUtsNamespace, "uts"},
                {kCgroupNamespace, "cgroup"}};
  std::vector<std::string> names;
  for (const auto& one : kNames) {
    if ((namespaces & one.bit) != 0) names.push_back(one.name);
  }
  return absl::StrJoin(names, " ");
}

const char* MountSentence(Mount mount) {
  switch (mount) {
    case Mount::kPrivateDev:
      return "/dev of its own";
    case Mount::kPrivateTmp:
      return "/tmp and /var/tmp in the sandbox";
    case Mount::kProc:
      return "/proc of its processes, masked";
    case Mount::kReadOnlySys:
      return "/sys read-only";
  }
  return "?";
}

}  // namespace

absl::Status PlanAll(const TaskNeeds& needs, const MachineFacts& facts, LaunchPlan* plan) {
  for (const Isolator* isolator : All()) {
    if (const absl::Status status = isolator->plan(needs, facts, plan); !status.ok()) return status;
  }
  return absl::OkStatus();
}

std::string NotEnforced(const MachineFacts& facts) {
  std::vector<std::string> what;
  for (const Isolator* isolator : All()) {
    std::string one = isolator->not_enforced(facts);
    if (!one.empty()) what.push_back(std::move(one));
  }
  if (what.empty()) return "";
  return absl::StrCat("not enforced: ", absl::StrJoin(what, ", "),
                      facts.why_not.empty() ? "" : absl::StrCat(" (", facts.why_not, ")"));
}

std::string Print(const LaunchPlan& plan, const MachineFacts& facts) {
  std::string text;
  const auto line = [&text](const std::string& name, const std::string& value) {
    absl::StrAppend(&text, name, std::string(name.size() < 18 ? 18 - name.size() : 1, ' '), value,
                    "\n");
  };
  line("container", plan.name);
  line("program", absl::StrJoin(plan.argv, " "));
  line("searched in", plan.path);
  line("directory", plan.working_directory);
  line("sandbox", plan.sandbox);
  line("run directory", plan.run_dir);
  line("user", plan.switch_user
                   ? absl::StrCat(plan.user, " (", plan.uid, "), group ", plan.gid, ", groups ",
                                  plan.groups.empty() ? "none" : absl::StrJoin(plan.groups, " "))
                   : "the launcher's own");
  if (plan.drop_capabilities) {
    std::vector<std::string> kept;
    for (int i = 0; i < kCapabilityCount; ++i) {
      if ((plan.capabilities >> i & 1) != 0) kept.push_back(CapabilityName(i));
    }
    line("capabilities", kept.empty() ? "none" : absl::StrJoin(kept, " "));
  }
  line("new privileges", "never");
  for (const Rlimit& limit : plan.rlimits) {
    line("rlimit", absl::StrCat(limit.resource, " soft ", limit.soft, " hard ", limit.hard));
  }
  line("namespaces", plan.namespaces == 0 ? "none" : NamespaceNames(plan.namespaces));
  for (const Mount mount : plan.mounts) line("mount", MountSentence(mount));
  if (plan.use_cgroups) {
    const std::string path = absl::StrCat("/", facts.cgroup_root, "/", plan.name);
    for (const std::string& tree : facts.world.Trees()) line("cgroup", absl::StrCat(tree, path));
    for (const CgroupWrite& write : WritesFor(plan.cgroup, facts.world)) {
      line("  " + write.file,
           absl::StrCat(write.value, write.optional ? " (if there is one)" : ""));
    }
  }
  if (plan.use_cgroups) {
    line("turns",
         absl::StrCat("of ", TurnNs(plan.cgroup.cpu_milli) / 1'000, " us, if the kernel can"));
  }
  line("descriptors", "0 /dev/null, 1 and 2 pipes to the logs");
  line("logs", absl::StrCat(plan.log_files, " files of ", plan.log_file_bytes, " bytes each"));
  line("kill grace", absl::StrCat(plan.kill_grace_ms, " ms"));
  if (plan.max_run_time_ms > 0) line("max run time", absl::StrCat(plan.max_run_time_ms, " ms"));
  if (plan.stop_after_disconnect_ms > 0) {
    line("stop after silence", absl::StrCat(plan.stop_after_disconnect_ms, " ms"));
  }
  for (const std::string& variable : plan.environment) line("environment", variable);
  const std::string missing = NotEnforced(facts);
  if (!missing.empty()) absl::StrAppend(&text, missing, "\n");
  return text;
}

}  // namespace proffer::isolator
