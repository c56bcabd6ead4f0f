#include "master/core/validate.h"

#include <algorithm>
#include <set>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/limits.h"
#include "common/base/simulation.h"
#include "master/core/world.h"

namespace proffer::master {
namespace {

using model::Outcome;
using model::Refusal;

Outcome Refused(Refusal refusal, std::string message) { return {refusal, std::move(message)}; }

Outcome FromStatus(const absl::Status& status) {
  if (status.ok()) return Outcome::Ok();
  return Refused(Refusal::kInvalid, std::string(status.message()));
}

Outcome ValidateVersion(const model::Version& version) {
  const model::Version mine = model::ThisVersion();
  if (model::Compatible(mine, version)) return Outcome::Ok();
  return Refused(Refusal::kUnsupportedVersion,
                 absl::StrCat("this master is version ", mine.ToString(),
                              " and talks to its own "
                              "and neighbouring versions; the peer is ",
                              version.ToString(), "; upgrade the older of the two"));
}

bool Has(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// What all agents have together must be countable. Half of what an int64 holds, because what
// tasks hold is added up beside it.
constexpr int64_t kMostOfAKind = int64_t{1} << 62;
// And no agent may use that up alone: 8 PiB, or 9 * 10^12 cpus.
constexpr int64_t kMostOfAnAgent = int64_t{1} << 53;

Outcome ValidateTotal(World& world, const model::AgentHello& hello) {
  const absl::StatusOr<allocator::Amounts> kinds =
      world.allocator.Intern(hello.info.resources.ToQuantities());
  if (!kinds.ok()) return Refused(Refusal::kTooMany, std::string(kinds.status().message()));
  for (const Resource& item : hello.info.resources.items()) {
    world.names.kinds_of_agents.insert(item.name);
    world.names.kinds_of_demand.erase(item.name);
    if (std::holds_alternative<Scalar>(item.value)) continue;
    if (absl::Status s = world.allocator.MarkItems(item.name); !s.ok()) {
      return Refused(Refusal::kTooMany, std::string(s.message()));
    }
  }
  allocator::Amounts others = world.allocator.Total();
  const Agent* known = world.agents.Find(hello.agent);
  if (known != nullptr && known->in_allocator) {
    for (const allocator::Portion& portion : ToPortions(world, known->info.resources)) {
      others -= portion.amounts;
    }
  }
  for (size_t kind = 0; kind < others.count.size(); ++kind) {
    if (kinds->count[kind] <= std::min(kMostOfAnAgent, kMostOfAKind - others.count[kind])) {
      continue;
    }
    const std::string& name = world.allocator.KindName(static_cast<int>(kind));
    return Refused(
        Refusal::kInvalid,
        absl::StrCat("the agent has ", PrintScalar(name, kinds->count[kind]), " of ", name,
                     ", more than can be counted in a cluster; correct its "
                     "--resources"));
  }
  return Outcome::Ok();
}

// Who says hello with what another cluster gave it. Who does not know its cluster is not foreign.
bool IsForeign(const World& world, const std::string& cluster_id) {
  return !cluster_id.empty() && cluster_id != world.config.cluster_id;
}

}  // namespace

Outcome ValidateHello(World& world, const model::AgentHello& hello) {
  if (Outcome outcome = ValidateVersion(hello.version); !outcome.ok()) return outcome;
  if (IsForeign(world, hello.cluster_id) && !MUTANT("amnesia-accepted")) {
    REACHED("an agent of another cluster says hello");
    return Refused(Refusal::kWrongCluster,
                   absl::StrCat("the agent's work directory belongs to cluster ", hello.cluster_id,
                                ", this is cluster ", world.config.cluster_id,
                                "; point the agent to its own master, or give it another work "
                                "directory"));
  }
  if (hello.highest_epoch > world.config.epoch && !MUTANT("old-epoch-obeyed")) {
    REACHED("a former leader is told by an agent that there is a newer one");
    return Refused(Refusal::kStaleEpoch,
                   absl::StrCat("the agent has obeyed epoch ", hello.highest_epoch,
                                ", this master is of epoch ", world.config.epoch,
                                "; the registry was set back, or this master was replaced"));
  }
  if (!hello.agent.empty()) {
    if (Outcome o = FromStatus(model::ValidateId("agent id", hello.agent.value())); !o.ok()) {
      return o;
    }
  }
  if (Outcome o = FromStatus(model::ValidateAgentInfo(hello.info)); !o.ok()) return o;
  return ValidateTotal(world, hello);
}

Outcome ValidateSummary(World& world, const model::TaskSummary& summary) {
  if (Outcome o = FromStatus(model::ValidateId("task id", summary.key.task.value())); !o.ok()) {
    return o;
  }
  if (Outcome o = FromStatus(model::ValidateId("framework id", summary.key.framework.value()));
      !o.ok()) {
    return o;
  }
  if (!summary.attempt.valid()) {
    return Refused(Refusal::kInvalid, absl::StrCat("task ", summary.key.task.value(),
                                                   " was reported without an attempt"));
  }
  // A launch that never arrived is told by an agent that does not know more of it than its id.
  if (model::IsTerminal(summary.state) && AgentMayTell(summary.state)) return Outcome::Ok();
  return FromStatus(ValidateRole(summary.role));
}

Outcome ValidateRoles(const std::vector<std::string>& roles,
                      const std::vector<std::string>& suppressed) {
  if (roles.empty()) {
    return Refused(Refusal::kInvalid,
                   "a framework needs at least one role, for instance \"default\"");
  }
  if (roles.size() > static_cast<size_t>(limits::kRolesPerFramework)) {
    return Refused(Refusal::kTooMany, absl::StrCat(roles.size(), " roles; at most ",
                                                   limits::kRolesPerFramework, " are allowed"));
  }
  for (size_t i = 0; i < roles.size(); ++i) {
    if (Outcome o = FromStatus(ValidateRole(roles[i])); !o.ok()) return o;
    if (std::find(roles.begin(), roles.begin() + i, roles[i]) != roles.begin() + i) {
      return Refused(Refusal::kInvalid, absl::StrCat("role \"", roles[i], "\" is listed twice"));
    }
  }
  for (const std::string& role : suppressed) {
    if (!Has(roles, role)) {
      return Refused(Refusal::kUnknownRole, absl::StrCat("suppressed role \"", role,
                                                         "\" is not among the framework's roles (",
                                                         absl::StrJoin(roles, ", "), ")"));
    }
  }
  return Outcome::Ok();
}

Outcome ValidateNewRoles(World& world, const std::vector<std::string>& roles) {
  std::set<std::string>& known = world.names.roles;
  if (known.size() + roles.size() <= limits::kRoles) {
    known.insert(roles.begin(), roles.end());
    return Outcome::Ok();
  }
  for (const std::string& role : roles) {
    if (known.count(role) > 0) continue;
    return Refused(Refusal::kTooMany,
                   absl::StrCat("role \"", role, "\" is new, and ", known.size(),
                                " roles were named already since this master leads; at most ",
                                limits::kRoles, " can be told apart"));
  }
  return Outcome::Ok();
}

Outcome ValidateSubscribe(World& world, const std::string& principal,
                          const model::Subscribe& subscribe) {
  if (Outcome o = ValidateVersion(subscribe.version); !o.ok()) return o;
  const model::FrameworkInfo& info = subscribe.framework;
  if (Outcome o = FromStatus(model::ValidateId("framework name", info.name)); !o.ok()) return o;
  if (Outcome o = ValidateRoles(info.roles, subscribe.suppressed_roles); !o.ok()) return o;
  if (info.failover_timeout_ms < 0) {
    return Refused(Refusal::kInvalid,
                   absl::StrCat("failover_timeout_ms is ", info.failover_timeout_ms,
                                "; expected 0 (one week) or more"));
  }
  if (info.web_url.size() > limits::kMessageTextBytes) {
    return Refused(Refusal::kInvalid, "web_url is longer than 4096 bytes");
  }
  if (IsForeign(world, subscribe.cluster_id) && !MUTANT("foreign-scheduler-accepted")) {
    REACHED("a scheduler of another cluster subscribes");
    return Refused(Refusal::kWrongCluster,
                   absl::StrCat("the framework's state belongs to cluster ", subscribe.cluster_id,
                                ", this is cluster ", world.config.cluster_id,
                                "; point the scheduler to its own master, or remove its state to "
                                "begin anew here; its tasks of there may still run"));
  }
  if (info.id.empty()) return ValidateNewRoles(world, info.roles);
  if (Outcome o = FromStatus(model::ValidateId("framework id", info.id.value())); !o.ok()) return o;
  if (world.frameworks.WasRemoved(info.id)) {
    REACHED("a framework that was torn down subscribes again");
    return Refused(Refusal::kFrameworkRemoved,
                   absl::StrCat("framework ", info.id.value(),
                                " was torn down or came back after its failover timeout; its "
                                "tasks were killed; subscribe without an id to start anew"));
  }
  const Framework* known = world.frameworks.Find(info.id);
  if (known == nullptr && !info.ephemeral) {
    return Refused(Refusal::kUnknownFramework,
                   absl::StrCat("framework ", info.id.value(),
                                " is not known in this cluster; subscribe without an id to "
                                "become a new one"));
  }
  if (known != nullptr && !known->known_only_from_agents && known->principal != principal) {
    return Refused(Refusal::kWrongPrincipal,
                   absl::StrCat("framework ", info.id.value(), " belongs to ", known->principal,
                                ", not to ", principal));
  }
  if (known != nullptr && subscribe.instance != 0 && subscribe.instance < known->instance &&
      !MUTANT("older-instance-returns")) {
    REACHED("an older instance of a framework subscribes after a newer one");
    return Refused(
        Refusal::kSuperseded,
        absl::StrCat("instance ", known->instance, " of framework ", info.id.value(),
                     " has subscribed, this is instance ", subscribe.instance,
                     " and must stop; if its state is a copy from before that, set the key "
                     "\"instance\" in it to ",
                     known->instance));
  }
  return ValidateNewRoles(world, info.roles);
}

Outcome ValidateOwnRoles(const Framework& framework, const std::vector<std::string>& roles) {
  for (const std::string& role : roles) {
    if (!Has(framework.info.roles, role)) {
      return Refused(Refusal::kUnknownRole,
                     absl::StrCat("role \"", role, "\" is not among the framework's roles (",
                                  absl::StrJoin(framework.info.roles, ", "), ")"));
    }
  }
  return Outcome::Ok();
}

Outcome ValidateDemand(World& world, const Framework& framework, const model::SetDemand& set) {
  if (!set.declared && !set.demands.empty()) {
    return Refused(Refusal::kInvalid, "demands were given although `declared` is false");
  }
  std::set<std::string> unknown = world.names.kinds_of_demand;
  for (const model::Demand& demand : set.demands) {
    if (Outcome o = ValidateOwnRoles(framework, {demand.role}); !o.ok()) return o;
    if (demand.shape.empty()) {
      return Refused(Refusal::kInvalid, absl::StrCat("demand \"", demand.label,
                                                     "\" asks for nothing; name at least "
                                                     "one resource"));
    }
    if (demand.count < 0) {
      return Refused(Refusal::kInvalid,
                     absl::StrCat("demand count is ", demand.count, "; expected 0 or more"));
    }
    for (const auto& [kind, count] : demand.shape.items()) {
      if (world.names.kinds_of_agents.count(kind) == 0) unknown.insert(kind);
    }
  }
  if (unknown.size() > limits::kKindsOfDemand) {
    return Refused(Refusal::kTooMany,
                   absl::StrCat("no agent has ", absl::StrJoin(unknown, ", "), "; at most ",
                                limits::kKindsOfDemand,
                                " kinds that no agent has may be asked for in a cluster"));
  }
  // Only when nothing is wrong are the new ones taken in.
  for (const model::Demand& demand : set.demands) {
    if (absl::Status s = world.allocator.Intern(demand.shape).status(); !s.ok()) {
      return Refused(Refusal::kTooMany, std::string(s.message()));
    }
  }
  world.names.kinds_of_demand = std::move(unknown);
  return Outcome::Ok();
}

Outcome ValidateTask(Framework& framework, const model::TaskSpec& task, const Resources& pool) {
  if (FindTask(framework, task.id) != nullptr && !MUTANT("reused-task-id")) {
    REACHED("a task is launched under an id that is in use");
    return Refused(Refusal::kDuplicateTask,
                   absl::StrCat("a task \"", task.id.value(),
                                "\" of this framework is live, "
                                "unreachable, or waits for an acknowledgement; use another id"));
  }
  if (task.resources.empty()) {
    return Refused(Refusal::kInvalid,
                   absl::StrCat("task \"", task.id.value(), "\" asks for no resources"));
  }
  if (task.kill_grace_ms > limits::kKillGraceMaxMs) {
    return Refused(Refusal::kInvalid,
                   absl::StrCat("kill_grace_ms is ", task.kill_grace_ms, "; at most ",
                                limits::kKillGraceMaxMs, " (1 h) is allowed"));
  }
  if (!pool.Contains(task.resources)) {
    return Refused(
        Refusal::kNotEnough,
        absl::StrCat("task \"", task.id.value(), "\" wants ", task.resources.ToString(),
                     ", left of the offers is ", pool.empty() ? "nothing" : pool.ToString()));
  }
  return Outcome::Ok();
}

Outcome ValidateRefusal(std::optional<int64_t> refuse_ms) {
  if (!refuse_ms || (*refuse_ms >= 0 && *refuse_ms <= limits::kRefusalMaxMs)) return Outcome::Ok();
  return Refused(Refusal::kInvalid,
                 absl::StrCat("refuse_ms is ", *refuse_ms, "; expected 0 to ",
                              limits::kRefusalMaxMs, " (1 h), or unset for 5 s"));
}

}  // namespace proffer::master
