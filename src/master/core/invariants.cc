#include "master/core/invariants.h"

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "master/core/world.h"

namespace proffer::master {
namespace {

absl::Status Untrue(absl::string_view about, absl::string_view sentence) {
  return absl::InternalError(absl::StrCat(about, ": ", sentence));
}

// Conservation: nothing of an agent is in two hands or in none.
absl::Status CheckAgent(const World& world, const Agent& agent) {
  const std::string about = absl::StrCat("agent ", agent.id.value());
  Resources offered;
  for (const model::OfferId& id : agent.offers) {
    const auto it = world.offers.all().find(id);
    if (it == world.offers.all().end() || it->second.agent != agent.id) {
      return Untrue(about, absl::StrCat("its offer ", id.ToString(), " is not on the table"));
    }
    RETURN_IF_ERROR(offered.Add(it->second.resources));
  }
  if (!(offered == agent.offered)) {
    return Untrue(about, absl::StrCat("offered is ", agent.offered.ToString(), ", its offers hold ",
                                      offered.ToString()));
  }
  Resources used;
  for (const auto& [key, attempt] : agent.tasks) {
    const Framework* framework = world.frameworks.Find(key.framework);
    if (framework == nullptr) return Untrue(about, "it has a task of an unknown framework");
    const auto it = framework->tasks.find({key.task, attempt});
    if (it == framework->tasks.end() || it->second.agent != agent.id) {
      return Untrue(about, absl::StrCat("its task ", key.task.value(), " has no row"));
    }
    if (it->second.holds_resources) RETURN_IF_ERROR(used.Add(it->second.resources));
    const bool unaccounted = agent.unaccounted.count({key, attempt}) > 0;
    if (!it->second.ended() && it->second.holds_resources == unaccounted) {
      return Untrue(about, absl::StrCat("its task ", key.task.value(),
                                        unaccounted ? " is counted and not" : " is not counted"));
    }
  }
  for (const AgentTask& task : agent.unaccounted) {
    if (agent.tasks.count(task) == 0) {
      return Untrue(about, absl::StrCat("task ", task.first.task.value(), " is not its own"));
    }
  }
  if (!(used == agent.used)) {
    return Untrue(about, absl::StrCat("used is ", agent.used.ToString(), ", its tasks hold ",
                                      used.ToString()));
  }
  if (!agent.in_allocator) return absl::OkStatus();
  Resources sum = agent.free;
  RETURN_IF_ERROR(sum.Add(agent.offered));
  RETURN_IF_ERROR(sum.Add(agent.used));
  if (!(sum == agent.info.resources)) {
    return Untrue(about, absl::StrCat("free + offered + used is ", sum.ToString(), ", total is ",
                                      agent.info.resources.ToString()));
  }
  const bool may_be_offered = agent.connected() && !agent.registering && agent.unaccounted.empty();
  if (agent.active != may_be_offered || (!agent.offers.empty() && !may_be_offered)) {
    return Untrue(about, "offers of an agent that is not there, or none of one that is");
  }
  return absl::OkStatus();
}

absl::Status CheckFramework(const World& world, const Framework& framework) {
  const std::string about = absl::StrCat("framework ", framework.id().value());
  if (!framework.offers.empty() && !framework.connected()) {
    return Untrue(about, "it holds offers though it is not connected");
  }
  for (const model::OfferId& id : framework.offers) {
    const auto it = world.offers.all().find(id);
    if (it == world.offers.all().end() || it->second.framework != framework.id()) {
      return Untrue(about, absl::StrCat("its offer ", id.ToString(), " is not on the table"));
    }
  }
  int64_t live = 0;
  for (const auto& [key, task] : framework.tasks) {
    if (!task.ended()) ++live;
    if (task.ended() && task.holds_resources) {
      return Untrue(about, absl::StrCat("its ended task ", key.first.value(), " holds resources"));
    }
    const Agent* agent = world.agents.Find(task.agent);
    if (agent == nullptr || agent->tasks.count({task.key, task.attempt}) == 0) {
      return Untrue(about, absl::StrCat("its task ", key.first.value(), " is on no agent"));
    }
  }
  if (live != framework.live_count) {
    return Untrue(about, absl::StrCat("counts ", framework.live_count, " live tasks, has ", live));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckInvariants(const World& world) {
  for (const auto& [id, agent] : world.agents.all()) RETURN_IF_ERROR(CheckAgent(world, agent));
  for (const auto& [id, framework] : world.frameworks.all()) {
    RETURN_IF_ERROR(CheckFramework(world, framework));
  }
  for (const auto& [id, offer] : world.offers.all()) {
    const Framework* framework = world.frameworks.Find(offer.framework);
    if (framework == nullptr || framework->offers.count(id) == 0) {
      return Untrue(absl::StrCat("offer ", id.ToString()), "its framework does not know of it");
    }
  }
  world.allocator.CheckInvariants();
  return absl::OkStatus();
}

}  // namespace proffer::master
