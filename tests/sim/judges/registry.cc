#include "sim/judges/registry.h"

namespace proffer::sim {

using internal::AgentRecord;

void RegistryJudge::Committed(uint64_t epoch, const Mutation& mutation) {
  if (!mutation.value) return;
  absl::StatusOr<convert::OpenedRecord> record = convert::OpenRecord(mutation.key, *mutation.value);
  if (!record.ok()) return Violation("L4: ", mutation.key, " cannot be read");
  if (record->type == "framework") {
    internal::FrameworkRecord row;
    row.ParseFromString(record->payload);
    bool& removed = frameworks_[row.info().framework_id()];
    if (removed && !row.removed()) {
      Violation("F: framework ", row.info().framework_id(), " was removed and is back");
    }
    removed = row.removed();
  } else if (record->type == "agent") {
    AgentRecord row;
    row.ParseFromString(record->payload);
    AgentRow& known = agents_[row.agent_id()];
    if (known.state == AgentRecord::GONE && row.state() != AgentRecord::GONE) {
      Violation("A1: agent ", row.agent_id(), " was gone and is back");
    }
    if (known.state == AgentRecord::STATE_UNSPECIFIED && row.state() != AgentRecord::ADMITTED) {
      Violation("A2: agent ", row.agent_id(), " begins as ", AgentRecord::State_Name(row.state()));
    }
    known.state = row.state();
    known.ever_unreachable |= row.state() == AgentRecord::UNREACHABLE;
  }
}

void RegistryJudge::MasterHeardScheduler(const Wire& wire, const model::SchedulerCall& call) {
  if (const auto* subscribe = std::get_if<model::Subscribe>(&call.call)) {
    if (subscribe->framework.ephemeral) ephemeral_.insert(wire.number());
  }
}

void RegistryJudge::MasterDecidedForAgent(const Wire& wire, const model::AgentOrder& order) {
  // By the time that it is said an operator may have declared it gone; that is said right after.
  const auto* welcome = std::get_if<model::Welcome>(&order);
  if (welcome == nullptr || !OfLeader(wire)) return;
  const auto it = agents_.find(welcome->agent.value());
  if (it != agents_.end() && it->second.state == AgentRecord::GONE) {
    Violation("A1: agent ", welcome->agent.value(), " is welcome and is gone");
  }
}

void RegistryJudge::MasterToldAgent(const Wire& wire, const model::AgentOrder& order) {
  const auto* welcome = std::get_if<model::Welcome>(&order);
  if (welcome != nullptr && agents_.count(welcome->agent.value()) == 0) {
    Violation("L4: agent ", welcome->agent.value(), " got welcome and is not in the registry");
  }
  if (!std::holds_alternative<model::Registered>(order) || !OfLeader(wire)) return;
  const model::AgentId agent = streams().AgentOn(wire);
  if (agents_[agent.value()].state == AgentRecord::UNREACHABLE) {
    Violation("L5: agent ", agent.value(), " is registered and unreachable in the registry");
  }
}

void RegistryJudge::TellsOf(const model::AgentId& agent, bool gone) {
  const auto it = agents_.find(agent.value());
  const bool durable = it != agents_.end() && (it->second.state == AgentRecord::GONE ||
                                               (!gone && it->second.ever_unreachable));
  if (!durable) {
    Violation("L5: agent ", agent.value(), " is called ", gone ? "gone" : "unreachable",
              " before the registry has it so");
  }
}

void RegistryJudge::MasterToldScheduler(const Wire& wire, const model::SchedulerEvent& event) {
  if (!OfLeader(wire)) return;
  if (const auto* subscribed = std::get_if<model::Subscribed>(&event)) {
    if (ephemeral_.count(wire.number()) > 0) return;
    const auto it = frameworks_.find(subscribed->framework.value());
    if (it == frameworks_.end() || it->second) {
      Violation("L4: framework ", subscribed->framework.value(),
                " was told that it is subscribed and is not in the registry");
    }
  } else if (const auto* status = std::get_if<model::TaskStatus>(&event)) {
    if (status->source != model::StatusSource::kMaster || status->agent.empty()) return;
    if (status->state == model::TaskState::kUnreachable) TellsOf(status->agent, false);
    if (status->state == model::TaskState::kGoneByOperator) TellsOf(status->agent, true);
  } else if (const auto* changed = std::get_if<model::AgentChanged>(&event)) {
    using Change = model::AgentChanged::Change;
    if (changed->change == Change::kUnreachable) TellsOf(changed->agent, false);
    if (changed->change == Change::kGone) TellsOf(changed->agent, true);
  }
}

}  // namespace proffer::sim
