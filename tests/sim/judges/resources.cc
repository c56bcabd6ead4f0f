#include "sim/judges/resources.h"

#include "master/core/world.h"

namespace proffer::sim {

void OffersJudge::AgentStarted(const std::string& machine, const Resources& resources) {
  totals_[machine] = resources;
  ordered_now_[machine].clear();
}

void OffersJudge::AgentHeard(const std::string& machine, const Wire& wire,
                             const model::AgentOrder& order) {
  if (const auto* launch = std::get_if<model::LaunchTask>(&order)) {
    ordered_now_[machine].insert(launch->attempt);
  }
}

void OffersJudge::Started(const std::string& machine, const model::LaunchTask& launch) {
  // What was ordered before the agent changed its size is not held against it.
  if (ordered_now_[machine].count(launch.attempt) == 0) return;
  Resources used;
  for (const auto& [attempt, story] : truth().all()) {
    if (story.machine != machine || !story.lives()) continue;
    if (!used.Add(story.launch.task.resources).ok()) {
      return Violation("R1: two tasks on ", machine, " hold the same of ",
                       story.launch.task.resources.ToString());
    }
  }
  if (!totals_[machine].Contains(used)) {
    Violation("R1: tasks on ", machine, " use ", used.ToString(), " of ",
              totals_[machine].ToString());
  }
}

void OffersJudge::Ended(const std::string& machine, const model::AttemptId& attempt,
                        const TrueEnd& end) {
  VoidRefusals(streams().AgentOf(attempt));
}

void OffersJudge::MasterHeardAgent(const Wire& wire, const model::AgentMessage& message) {
  if (const auto* hello = std::get_if<model::AgentHello>(&message)) {
    agent_totals_[wire.number()] = hello->info.resources;
  }
}

void OffersJudge::MasterHeardScheduler(const Wire& wire, const model::SchedulerCall& call) {
  const auto close_own = [&](const std::vector<model::OfferId>& ids) {
    for (const model::OfferId& id : ids) {
      const auto it = open_.find(id);
      if (it != open_.end() && it->second.wire == wire.number()) Close(id);
    }
  };
  if (const auto* subscribe = std::get_if<model::Subscribe>(&call.call)) {
    // A second one on the same stream is refused; which was the first need not be known here.
    roles_[wire.number()].insert(subscribe->framework.roles.begin(),
                                 subscribe->framework.roles.end());
    suppressed_[wire.number()] = {subscribe->suppressed_roles.begin(),
                                  subscribe->suppressed_roles.end()};
  } else if (const auto* update = std::get_if<model::UpdateFramework>(&call.call)) {
    roles_[wire.number()].insert(update->roles.begin(), update->roles.end());
    suppressed_[wire.number()].clear();
    ForgetRefusals(wire.number());
  } else if (const auto* suppress = std::get_if<model::Suppress>(&call.call)) {
    // One that names a role which is not its own is refused whole.
    const std::set<std::string>& own = roles_[wire.number()];
    bool valid = true;
    for (const std::string& role : suppress->roles) valid &= own.count(role) > 0;
    if (!valid) return;
    std::set<std::string>& suppressed = suppressed_[wire.number()];
    if (suppress->roles.empty()) suppressed = own;
    suppressed.insert(suppress->roles.begin(), suppress->roles.end());
  } else if (const auto* revive = std::get_if<model::Revive>(&call.call)) {
    if (revive->roles.empty()) suppressed_[wire.number()].clear();
    for (const std::string& role : revive->roles) suppressed_[wire.number()].erase(role);
    ForgetRefusals(wire.number());
  } else if (std::holds_alternative<model::SetDemand>(call.call)) {
    ForgetRefusals(wire.number());
  } else if (const auto* accept = std::get_if<model::Accept>(&call.call)) {
    bool stood = true;
    for (const model::OfferId& id : accept->offers) {
      const auto open = open_.find(id);
      stood &= open != open_.end() && open->second.wire == wire.number();
    }
    for (const model::TaskSpec& task : accept->tasks) {
      const auto key = std::make_tuple(streams().FrameworkOn(wire), task.id, task.intent_id);
      // A second call that names the same task must not make the first look wrong.
      if (stood || wanted_.count(key) == 0) wanted_[key] = {wire.number(), accept->offers, stood};
    }
    close_own(accept->offers);
  } else if (const auto* decline = std::get_if<model::Decline>(&call.call)) {
    Refuse(wire, *decline);
  }
}

void OffersJudge::Close(const model::OfferId& id) {
  const auto it = open_.find(id);
  if (it == open_.end()) return;
  const model::AgentId agent = it->second.agent;
  open_.erase(it);
  VoidRefusals(agent);
}

void OffersJudge::CloseAllOf(uint64_t wire) {
  std::set<model::OfferId> ids;
  for (const auto& [id, open] : open_) {
    if (open.wire == wire) ids.insert(id);
  }
  for (const model::OfferId& id : ids) Close(id);
}

Resources OffersJudge::MostFree(const model::AgentId& agent, uint64_t epoch) const {
  Resources free;
  for (const auto& [stream, resources] : agent_totals_) {
    if (streams().AgentOn(stream) == agent) free = resources;  // As it has said last.
  }
  for (const auto& [id, open] : open_) {
    if (open.agent == agent && id.epoch == epoch) (void)free.Subtract(open.resources);
  }
  for (const auto& [attempt, story] : truth().all()) {
    if (story.lives() && streams().AgentOf(attempt) == agent) {
      (void)free.Subtract(story.launch.task.resources);
    }
  }
  return free;
}

void OffersJudge::Refuse(const Wire& wire, const model::Decline& decline) {
  constexpr int64_t kLongestMs = 3'600'000;
  const int64_t refuse_ms = decline.refuse_ms.value_or(5'000);
  const bool valid = refuse_ms >= 0 && refuse_ms <= kLongestMs;
  for (const model::OfferId& id : decline.offers) {
    const auto it = open_.find(id);
    if (it == open_.end() || it->second.wire != wire.number()) continue;
    const Open open = it->second;
    open_.erase(it);
    VoidRefusals(open.agent);
    refused_[{wire.number(), open.agent}].erase(open.role);  // A later one replaces a former.
    if (!valid || refuse_ms == 0 || !OfLeader(wire)) continue;
    // Clocks drift by a thousandth at most.
    const Time until = world().now() + (refuse_ms - refuse_ms / 500 - 10);
    if (!open.resources.Contains(MostFree(open.agent, wire.epoch))) continue;
    refused_[{wire.number(), open.agent}][open.role] = {open.resources, until};
  }
}

void OffersJudge::VoidRefusals(const model::AgentId& agent) {
  for (auto& [key, by_role] : refused_) {
    if (key.second != agent || by_role.empty()) continue;
    const Resources free = MostFree(agent, streams().newest_epoch());
    std::erase_if(by_role,
                  [&](const auto& entry) { return !entry.second.resources.Contains(free); });
  }
}

void OffersJudge::ForgetRefusals(uint64_t wire) {
  for (auto& [key, by_role] : refused_) {
    if (key.first == wire) by_role.clear();
  }
}

void OffersJudge::MasterLostScheduler(const Wire& wire) { CloseAllOf(wire.number()); }

void OffersJudge::MasterDecidedForScheduler(const Wire& wire, const model::SchedulerEvent& event) {
  if (const auto* offers = std::get_if<model::Offers>(&event)) {
    for (const model::Offer& offer : offers->offers) Offered(wire, offer);
  } else if (const auto* rescinded = std::get_if<model::Rescinded>(&event)) {
    for (const model::OfferId& id : rescinded->offers) Close(id);
  } else if (std::holds_alternative<model::StreamError>(event)) {
    CloseAllOf(wire.number());
  }
}

void OffersJudge::Offered(const Wire& wire, const model::Offer& offer) {
  const std::set<std::string>& roles = roles_[wire.number()];
  if (roles.count(offer.role) == 0) {
    Violation("R4: ", streams().FrameworkOn(wire).value(), " is offered for role ", offer.role,
              ", which it does not have");
  }
  if (offer.id.epoch != wire.epoch) {
    Violation("R3: offer ", offer.id.ToString(), " was made in epoch ", wire.epoch);
  }
  if (suppressed_[wire.number()].count(offer.role) > 0 && OfLeader(wire)) {
    Violation("R4: ", streams().FrameworkOn(wire).value(), " is offered for role ", offer.role,
              ", which it has suppressed");
  }
  const auto refused = refused_.find({wire.number(), offer.agent});
  if (refused != refused_.end()) {
    const auto of_role = refused->second.find(offer.role);
    if (of_role != refused->second.end() && world().now() < of_role->second.until &&
        of_role->second.resources.Contains(offer.resources)) {
      Violation("R4: ", streams().FrameworkOn(wire).value(), " is offered ",
                offer.resources.ToString(), " of agent ", offer.agent.value(),
                " again, which it refused");
    }
  }
  const Open open{wire.number(),   streams().FrameworkOn(wire),
                  offer.agent,     offer.role,
                  offer.resources, world().now()};
  open_[offer.id] = open;
  made_[offer.id] = open;
  Resources out;
  int held = 0;
  for (const auto& [id, other] : open_) {
    if (id.epoch != wire.epoch) continue;
    held += other.wire == wire.number() ? 1 : 0;
    if (other.agent == offer.agent && !out.Add(other.resources).ok()) {
      return Violation("R1: two offers have the same of agent ", offer.agent.value(), ": ",
                       other.resources.ToString());
    }
  }
  if (held > limits_.most_offers) {
    Violation("R8: ", open.framework.value(), " holds ", held, " offers");
  }
  // What lives there is not to be offered. (One who has lost the lead does not know what lives,
  // and no agent listens.)
  if (!OfLeader(wire)) return;
  for (const auto& [attempt, story] : truth().all()) {
    if (!story.lives() || streams().AgentOf(attempt) != offer.agent) continue;
    if (!out.Add(story.launch.task.resources).ok()) {
      return Violation("R1: offered and used on agent ", offer.agent.value(), ": ",
                       story.launch.task.resources.ToString());
    }
  }
  Resources total;
  for (const auto& [stream, resources] : agent_totals_) {
    // The last that this agent has said to anybody.
    if (streams().AgentOn(stream) == offer.agent) total = resources;
  }
  if (!total.Contains(out)) {
    Violation("R1: of agent ", offer.agent.value(), " with ", total.ToString(), ", ",
              out.ToString(), " are offered or used");
  }
}

void OffersJudge::MasterDecidedForAgent(const Wire& wire, const model::AgentOrder& order) {
  const auto* launch = std::get_if<model::LaunchTask>(&order);
  if (launch == nullptr) return;
  // One that sends garbage has calls that are refused whole, and then use up nothing.
  if (launch->framework_name == "garbage") return;
  const auto wanted = wanted_.find({launch->framework, launch->task.id, launch->task.intent_id});
  if (wanted == wanted_.end()) {
    return Violation("R3: task ", launch->task.id.value(), " is launched and nobody asked for it");
  }
  for (const model::OfferId& id : wanted->second.offers) {
    const auto made = made_.find(id);
    if (made == made_.end() || id.epoch != wire.epoch) {
      Violation("R3: task ", launch->task.id.value(), " is launched on offer ", id.ToString(),
                ", which this leader never made");
    } else if (made->second.framework != launch->framework) {
      Violation("F3: task ", launch->task.id.value(), " is launched on somebody else's offer");
    } else if (!wanted->second.stood) {
      Violation("R3: task ", launch->task.id.value(), " is launched on offer ", id.ToString(),
                ", which did not stand any more");
    } else if (made->second.agent != streams().AgentOn(wire)) {
      Violation("R3: task ", launch->task.id.value(),
                " is launched on another agent than that of "
                "its offer");
    }
  }
}

void OffersJudge::MasterTurned(const std::string& node, const master::Core& core) {
  const uint64_t epoch = core.world().config.epoch;
  for (const auto& [id, open] : open_) {
    // Clocks drift by a thousandth at most.
    const int64_t most = limits_.offer_timeout_ms + limits_.offer_timeout_ms / 500 + 100;
    if (id.epoch == epoch && world().now() - open.made > most) {
      Violation("R8: offer ", id.ToString(), " is out for longer than ", limits_.offer_timeout_ms,
                " ms");
    }
  }
}

}  // namespace proffer::sim
