#include "master/flags.h"

#include <gflags/gflags.h>

#include <random>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/prng.h"
#include "common/base/status.h"

DEFINE_string(listen, "",
              "Where to serve: unix:/path/to/socket, and by --insecure_tcp host:port "
              "on loopback (in a network namespace of its own: any); several by commas.");
DEFINE_bool(insecure_tcp, false,
            "Serve loopback TCP without certificates: every local user and "
            "task may then do anything.");
DEFINE_string(work_dir, "",
              "Where the registry is kept (LevelDB). Without it and --zk: in memory.");
DEFINE_string(zk, "",
              "zk://host:port[,host:port...]/chroot: several masters, of which one is elected; the "
              "registry is kept there instead of in --work_dir.");
DEFINE_int64(zk_session_timeout_ms, 10000,
             "With --zk: how long a leader that is not heard of keeps the lead.");
DEFINE_string(advertise, "",
              "With --zk: where others find this master, like --listen; default: --listen.");
DEFINE_string(metrics, "",
              "Where figures for Prometheus are served, host:port on loopback; default: nowhere.");
DEFINE_string(cluster, "",
              "Id of the cluster; a registry of another one is refused. Default: the registry's, "
              "and a random one when it is empty.");
DEFINE_int64(agent_ping_ms, 5000, "How often agents are pinged.");
DEFINE_int64(agent_unreachable_ms, 75000, "Silence after which an agent is unreachable.");
DEFINE_int64(offer_timeout_ms, 120000, "How long an offer waits for its answer.");
DEFINE_int32(max_outstanding_offers, 50, "Unanswered offers a framework may hold; 0: no limit.");
DEFINE_int64(max_connections, 0,
             "How many connections are served at once; 0: 65536, or as many as three quarters of "
             "the descriptors.");
DEFINE_int64(connections_of_peer, proffer::limits::kConnectionsPerPeer,
             "How many of them one machine, or one process of this one, may have once half of all "
             "are taken; more than agents behind one address.");
DEFINE_int64(connects_of_peer, proffer::limits::kConnectsPerPeer,
             "How many connections one machine, or one process of this one, may make a second in "
             "the long run; twenty times as many at once.");
DEFINE_int64(patience_ms, 15000,
             "How long a connection or stream may be silent at its beginning, and a message for a "
             "peer not be taken (at most twice that), before it is cut off.");
DEFINE_int64(idle_connection_ms, 300000, "How long a connection without a call is kept.");
DEFINE_int32(max_frameworks, proffer::limits::kFrameworks,
             "How many frameworks are known at once; those that are away longest and have no tasks "
             "make room.");
DEFINE_int64(scheduler_heartbeat_ms, 5000,
             "How often schedulers are sent a heartbeat; after six without an answer they are cut "
             "off.");
DEFINE_int64(turn_fatal_ms, 30000, "A turn of the core longer than this ends the process.");
DEFINE_uint64(seed, 0, "Of ids and allocation order; 0: from the kernel.");

namespace proffer::master {
namespace {

absl::Status Positive(const char* flag, int64_t value) {
  if (value > 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag, "=", value, ": expected a number above 0"));
}

absl::Status ReadZooKeeper(const std::vector<rpc::Address>& listen, ParsedFlags* parsed) {
  if (FLAGS_zk.empty()) {
    if (FLAGS_advertise.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(
        "--advertise says where other masters and clients find this one, by --zk; without --zk "
        "leave it out");
  }
  if (!FLAGS_work_dir.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--zk=", FLAGS_zk, " and --work_dir=", FLAGS_work_dir,
                     ": the registry is in one place; name ZooKeeper for several masters or a "
                     "directory for a single one"));
  }
  RETURN_IF_ERROR(Positive("zk_session_timeout_ms", FLAGS_zk_session_timeout_ms));
  const absl::StatusOr<zk::Address> zookeeper = zk::ParseAddress(FLAGS_zk);
  if (!zookeeper.ok()) return Annotate(zookeeper.status(), "--zk");
  std::vector<rpc::Address> advertised = listen;
  if (!FLAGS_advertise.empty()) {
    absl::StatusOr<std::vector<rpc::Address>> parsed_list = rpc::ParseAddresses(FLAGS_advertise);
    if (!parsed_list.ok()) return Annotate(parsed_list.status(), "--advertise");
    advertised = *std::move(parsed_list);
  }
  for (const rpc::Address& address : advertised) {
    if (absl::EndsWith(address.target, ":0")) {
      return absl::InvalidArgumentError(
          absl::StrCat(address.target,
                       ": with --zk others must know the port beforehand; choose one, or name it "
                       "by --advertise"));
    }
    parsed->advertised.push_back(address.target);
  }
  parsed->zookeeper = *zookeeper;
  parsed->zk_session_timeout_ms = FLAGS_zk_session_timeout_ms;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ParsedFlags> ReadFlags() {
  RETURN_IF_ERROR(Positive("agent_ping_ms", FLAGS_agent_ping_ms));
  RETURN_IF_ERROR(Positive("agent_unreachable_ms", FLAGS_agent_unreachable_ms));
  RETURN_IF_ERROR(Positive("offer_timeout_ms", FLAGS_offer_timeout_ms));
  RETURN_IF_ERROR(Positive("connections_of_peer", FLAGS_connections_of_peer));
  RETURN_IF_ERROR(Positive("connects_of_peer", FLAGS_connects_of_peer));
  RETURN_IF_ERROR(Positive("patience_ms", FLAGS_patience_ms));
  RETURN_IF_ERROR(Positive("idle_connection_ms", FLAGS_idle_connection_ms));
  RETURN_IF_ERROR(Positive("max_frameworks", FLAGS_max_frameworks));
  RETURN_IF_ERROR(Positive("scheduler_heartbeat_ms", FLAGS_scheduler_heartbeat_ms));
  if (FLAGS_max_connections != 0) {
    RETURN_IF_ERROR(Positive("max_connections", FLAGS_max_connections));
  }
  if (FLAGS_agent_unreachable_ms < 2 * FLAGS_agent_ping_ms) {
    return absl::InvalidArgumentError(
        "--agent_unreachable_ms must be at least twice --agent_ping_ms, else one lost ping "
        "makes an agent unreachable");
  }
  ParsedFlags parsed;
  absl::StatusOr<std::vector<rpc::Address>> addresses = rpc::ParseAddresses(FLAGS_listen);
  if (!addresses.ok()) return Annotate(addresses.status(), "--listen");
  for (const rpc::Address& address : *addresses) {
    if (!address.is_unix && !FLAGS_insecure_tcp) {
      return absl::InvalidArgumentError(
          absl::StrCat("--listen=", address.target,
                       " is TCP, which needs --insecure_tcp until "
                       "certificates are built in; unix:/path is safe"));
    }
    RETURN_IF_ERROR(Annotate(rpc::RequireLocal(address), "--listen"));
  }
  RETURN_IF_ERROR(ReadZooKeeper(*addresses, &parsed));
  if (!FLAGS_metrics.empty()) {
    const absl::StatusOr<rpc::Address> metrics = rpc::ParseLocalPort(FLAGS_metrics);
    if (!metrics.ok()) return Annotate(metrics.status(), "--metrics");
    parsed.metrics = metrics->target;
  }
  std::random_device kernel;
  MasterOptions& options = parsed.options;
  parsed.listen = *std::move(addresses);
  options.seed = FLAGS_seed != 0 ? FLAGS_seed : (uint64_t{kernel()} << 32 | kernel());
  Prng prng(options.seed);
  options.cluster = {FLAGS_cluster.empty() ? absl::StrCat("C-", prng.Word(12)) : FLAGS_cluster,
                     !FLAGS_cluster.empty()};
  RETURN_IF_ERROR(Annotate(model::ValidateId("cluster id", options.cluster.id), "--cluster"));
  options.turn_fatal_ms = FLAGS_turn_fatal_ms;
  options.limits = {FLAGS_max_connections, FLAGS_connections_of_peer, FLAGS_connects_of_peer,
                    FLAGS_patience_ms, FLAGS_idle_connection_ms};
  options.core.max_frameworks = FLAGS_max_frameworks;
  options.core.heartbeat_ms = FLAGS_scheduler_heartbeat_ms;
  options.core.ping_ms = FLAGS_agent_ping_ms;
  options.core.unreachable_ms = FLAGS_agent_unreachable_ms;
  options.core.offer_timeout_ms = FLAGS_offer_timeout_ms;
  options.core.max_outstanding_offers = FLAGS_max_outstanding_offers;
  parsed.store_directory = FLAGS_work_dir;
  return parsed;
}

}  // namespace proffer::master
