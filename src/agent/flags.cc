#include "agent/flags.h"

#include <gflags/gflags.h>
#include <unistd.h>

#include <random>

#include "absl/strings/str_cat.h"
#include "agent/machine.h"
#include "agent/payload.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/base/utf8.h"

DEFINE_string(master, "",
              "Where the masters are: unix:/path or host:port, several by commas, or "
              "zk://host:port[,host:port...]/chroot.");
DEFINE_string(work_dir, "", "Where checkpoints and sandboxes are kept; the agent's identity.");
DEFINE_string(runtime_dir, "/run/proffer/agent",
              "What must not survive a reboot; on tmpfs, and short: sockets lie in it.");
DEFINE_string(resources, "",
              "What the machine has for tasks, as in "
              "\"cpus:4;mem:8GiB;ports:[31000-31999]\"; default: detected.");
DEFINE_string(attributes, "", "Facts for constraints, as in \"rack:r1;ssd:true\".");
DEFINE_string(hostname, "", "The name it is known by; default: the machine's.");
DEFINE_string(region, "", "Region, a fact for constraints.");
DEFINE_string(zone, "", "Zone, a fact for constraints.");
DEFINE_string(isolation, "auto",
              "How tasks are kept apart: containers (cgroups and namespaces, or not at all), posix "
              "(process groups and rlimits; cpu and memory are counted, not enforced), auto "
              "(containers if the launcher can, else posix).");
DEFINE_bool(cpu_quota, false,
            "Tasks that name no cpu limit get no more processor than they accepted, even while "
            "others leave it idle.");
DEFINE_int64(pids_limit, 1024, "Processes and threads of a task that names no limit; 0: any.");
DEFINE_string(default_user, "", "Who runs tasks that do not say; default: the agent's user.");
DEFINE_string(launcher, "/run/proffer/launcher/socket",
              "The socket of this machine's proffer-launcher.");
DEFINE_string(explain_launch, "",
              "Prints how a task would be launched on this machine, and ends: a "
              "proffer.v1.TaskSpec as JSON, or @FILE with one.");
DEFINE_uint64(log_file_bytes, 10 << 20, "Size at which a task's output file is rotated.");
DEFINE_uint32(log_files, 2, "Files of a task's output that are kept, each stream.");
DEFINE_uint64(keep_sandboxes, 100, "Sandboxes of ended tasks that are kept.");
DEFINE_string(metrics, "",
              "Where figures for Prometheus are served, host:port on loopback; default: nowhere.");
DEFINE_int64(turn_fatal_ms, 30000, "A turn of the core longer than this ends the process.");
DEFINE_uint64(seed, 0, "Of the jitter; 0: from the kernel.");

namespace proffer::agent {
namespace {

absl::StatusOr<Isolation> ParseIsolation(const std::string& text) {
  if (text == "auto") return Isolation::kAuto;
  if (text == "containers") return Isolation::kContainers;
  if (text == "posix") return Isolation::kPosix;
  return absl::InvalidArgumentError(
      absl::StrCat("--isolation: expected auto, containers or posix, found \"", text, "\""));
}

}  // namespace

absl::StatusOr<ParsedFlags> ReadFlags() {
  ParsedFlags parsed;
  AgentOptions& options = parsed.options;
  parsed.explain_launch = FLAGS_explain_launch;
  absl::StatusOr<std::unique_ptr<LeaderFinder>> leader = LeaderFinder::Make(
      FLAGS_master.empty() && !FLAGS_explain_launch.empty() ? "unix:/none" : FLAGS_master);
  if (!leader.ok()) return Annotate(leader.status(), "--master");
  options.leader = *std::move(leader);
  if (FLAGS_work_dir.empty() || FLAGS_work_dir[0] != '/') {
    return absl::InvalidArgumentError("--work_dir: expected an absolute path");
  }
  if (FLAGS_runtime_dir.empty() || FLAGS_runtime_dir[0] != '/') {
    return absl::InvalidArgumentError("--runtime_dir: expected an absolute path");
  }
  // May be passed through, not read: the sandboxes below belong to the users of tasks.
  RETURN_IF_ERROR(Annotate(MakeDirectories(FLAGS_work_dir, 0711), "--work_dir"));
  RETURN_IF_ERROR(Annotate(MakeDirectories(FLAGS_runtime_dir, 0700), "--runtime_dir"));
  parsed.work_dir = FLAGS_work_dir;
  parsed.health = {absl::StrCat("unix:", FLAGS_runtime_dir, "/health"), true};

  if (!FLAGS_metrics.empty()) {
    const absl::StatusOr<rpc::Address> metrics = rpc::ParseLocalPort(FLAGS_metrics);
    if (!metrics.ok()) return Annotate(metrics.status(), "--metrics");
    parsed.metrics = metrics->target;
  }

  AgentFacts& facts = options.core.info.facts;
  facts.hostname = FLAGS_hostname.empty() ? Hostname() : FLAGS_hostname;
  RETURN_IF_ERROR(Annotate(model::ValidateId("hostname", facts.hostname), "--hostname"));
  facts.region = FLAGS_region;
  facts.zone = FLAGS_zone;
  if (!IsUtf8(facts.region)) return absl::InvalidArgumentError("--region: expected UTF-8");
  if (!IsUtf8(facts.zone)) return absl::InvalidArgumentError("--zone: expected UTF-8");
  absl::StatusOr<Attributes> attributes = Attributes::Parse(FLAGS_attributes);
  if (!attributes.ok()) return Annotate(attributes.status(), "--attributes");
  facts.attributes = *std::move(attributes);
  absl::StatusOr<Resources> resources =
      FLAGS_resources.empty() ? DetectResources(FLAGS_work_dir) : Resources::Parse(FLAGS_resources);
  if (!resources.ok()) return Annotate(resources.status(), "--resources");
  options.core.info.resources = *std::move(resources);
  RETURN_IF_ERROR(model::ValidateAgentInfo(options.core.info));
  ASSIGN_OR_RETURN(options.core.boot_id, ReadBootId());
  std::random_device kernel;
  options.core.seed = FLAGS_seed != 0 ? FLAGS_seed : (uint64_t{kernel()} << 32 | kernel());
  options.core.wall_offset_ms = UnixNowMs() - BootTimeNow().ms;

  Runner::Options& runner = options.runner;
  runner.work_dir = FLAGS_work_dir;
  runner.runtime_dir = FLAGS_runtime_dir;
  if (FLAGS_launcher.empty() || FLAGS_launcher[0] != '/' || FLAGS_launcher.size() > 107) {
    return absl::InvalidArgumentError(
        "--launcher: expected the absolute path of a socket, at most 107 bytes");
  }
  runner.launcher_socket = FLAGS_launcher;
  ASSIGN_OR_RETURN(runner.isolation, ParseIsolation(FLAGS_isolation));
  runner.cpu_quota = FLAGS_cpu_quota;
  if (FLAGS_pids_limit < 0) {
    return absl::InvalidArgumentError("--pids_limit: expected 0 or more");
  }
  runner.pids_limit = FLAGS_pids_limit;
  runner.host = facts.hostname;
  runner.default_user = FLAGS_default_user;
  runner.log_file_bytes = FLAGS_log_file_bytes;
  runner.log_files = FLAGS_log_files;
  runner.keep_ended_sandboxes = FLAGS_keep_sandboxes;
  runner.decode = DecodePayload;
  options.turn_fatal_ms = FLAGS_turn_fatal_ms;
  return parsed;
}

}  // namespace proffer::agent
