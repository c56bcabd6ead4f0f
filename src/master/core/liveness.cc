#include "master/core/liveness.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/simulation.h"
#include "master/core/registration.h"
#include "master/core/world.h"

namespace proffer::master {
namespace {

// Without a word for so many pings an agent counts as missing, long before it is unreachable.
constexpr int64_t kMissingPings = 2;

// Whether so many agents are missing that the fault is rather with the network, or with us. Agents
// fall silent at moments that are seconds apart: those that have not been silent for long, and
// those that were declared unreachable only just now, are missing too, or each would be given up
// alone.
bool CountMissing(const World& world) {
  int64_t known = 0;
  int64_t missing = 0;
  for (const auto& [id, agent] : world.agents.all()) {
    const int64_t silent_ms = world.now - agent.last_heard;
    if (agent.state == AgentState::kGone) continue;
    if (agent.state == AgentState::kUnreachable && silent_ms >= 2 * world.config.unreachable_ms) {
      continue;
    }
    ++known;
    if (!agent.connected() || silent_ms >= kMissingPings * world.config.ping_ms) ++missing;
  }
  return known >= world.config.valve_min_agents &&
         missing * 100 > known * world.config.valve_percent;
}

// Counted once a second: when everybody is missing, everybody's deadline asks.
bool ValveIsShut(World& world) {
  if (MUTANT("valve-never-shuts")) return false;
  if (world.missing_counted_at + limits::kLongestSleepMs <= world.now) {
    world.missing_counted_at = world.now;
    world.many_missing = CountMissing(world);
  }
  return world.many_missing;
}

bool LimitIsReached(World& world) {
  if (world.config.unreachable_per_minute <= 0) return false;
  if (MUTANT("no-removal-limit")) return false;
  if (world.now - world.minute_began >= 60'000) {
    world.minute_began = world.now;
    world.unreachable_in_minute = 0;
  }
  return world.unreachable_in_minute >= world.config.unreachable_per_minute;
}

void EndTasks(World& world, Agent& agent, uint64_t after_seq, bool gone) {
  if (MUTANT("loss-told-before-durable")) after_seq = 0;
  // A copy: rows leave the set as their tasks end.
  const auto tasks = agent.tasks;
  for (const auto& [key, attempt] : tasks) {
    Framework* framework = world.frameworks.Find(key.framework);
    Task& task = framework->tasks.at({key.task, attempt});
    if (framework->ending) {
      EndRow(world, *framework, {key.task, attempt});  // Nobody waits for news of it.
    } else if (gone) {
      TaskGone(world, *framework, task, after_seq);
    } else {
      TaskUnreachable(world, *framework, task, after_seq);
    }
  }
  const auto change =
      gone ? model::AgentChanged::Change::kGone : model::AgentChanged::Change::kUnreachable;
  for (auto& [id, framework] : world.frameworks.all()) {
    world.Tell(framework, model::AgentChanged{agent.id, change}, after_seq);
  }
}

void CutOff(World& world, Agent& agent) {
  RefuseAgent(world, agent.stream, model::Refusal::kAgentUnavailable,
              "silent for too long; reconnect and register again");
  AgentStreamEnded(world, agent);
}

void DeclareUnreachable(World& world, Agent& agent) {
  if (agent.connected()) {
    REACHED("an agent is declared unreachable while its stream stands");
    CutOff(world, agent);
  }
  if (agent.state == AgentState::kRecovered) REACHED("an agent never came back to a new leader");
  if (!agent.tasks.empty()) REACHED("an agent with tasks is declared unreachable");
  agent.state = AgentState::kUnreachable;
  ++world.unreachable_in_minute;
  const uint64_t seq =
      world.Write(AgentRecord{agent.id, AgentRecord::State::kUnreachable, agent.info});
  world.Note(absl::StrCat("agent ", agent.name(), " (", agent.id.value(),
                          ") is unreachable: ", (world.now - agent.last_heard) / 1000,
                          " s of silence, ", agent.tasks.size(), " tasks"));
  EndTasks(world, agent, seq, /*gone=*/false);
  world.Touch(agent);
}

}  // namespace

void WatchLiveness(World& world, Agent& agent) {
  if (agent.connected()) {
    world.timers.Set({TimerKind::kAgentPing, agent.index.value}, world.now + world.config.ping_ms);
  }
  world.timers.Set({TimerKind::kAgentSilence, agent.index.value},
                   agent.last_heard + world.config.unreachable_ms);
}

void AgentWasHeard(World& world, Agent& agent, Time received) {
  // The silence timer is left where it is; when it fires it looks at last_heard again. That
  // spares a timer move a message.
  agent.last_heard = std::max(agent.last_heard, received);
}

void PingDue(World& world, Agent& agent) {
  if (!agent.connected()) return;
  world.Tell(agent, model::Ping{++agent.ping});
  if (MAYBE("ping twice")) world.Tell(agent, model::Ping{++agent.ping});
  world.timers.Set({TimerKind::kAgentPing, agent.index.value}, world.now + world.config.ping_ms);
}

void SilenceDue(World& world, Agent& agent) {
  if (agent.state == AgentState::kGone) return;
  if (agent.state == AgentState::kUnreachable && !agent.connected()) return;
  const Timers::Key key{TimerKind::kAgentSilence, agent.index.value};
  const Time due = agent.last_heard + world.config.unreachable_ms;
  if (due > world.now) {
    world.timers.Set(key, due);
    return;
  }
  if (agent.state == AgentState::kUnreachable) {
    REACHED("an agent came back from unreachable and fell silent before it had reported all");
    // It came back and fell silent before it had reported all.
    CutOff(world, agent);
    return;
  }
  const bool shut = ValveIsShut(world);
  if (shut != world.valve_is_shut) {
    world.valve_is_shut = shut;
    world.Note(shut ? "more than the tolerated share of agents is missing at once: nobody is "
                      "declared unreachable; mark agents gone by hand if they are"
                    : "few enough agents are missing: the silent ones are declared unreachable");
  }
  if (shut) {
    REACHED("too many agents are missing at once to declare one unreachable");
    world.timers.Set(key, world.now + world.config.ping_ms);
    return;
  }
  if (LimitIsReached(world)) {
    REACHED("the limit of agents declared unreachable in a minute is reached");
    world.timers.Set(key, world.minute_began + 60'000);
    return;
  }
  DeclareUnreachable(world, agent);
}

uint64_t MarkGone(World& world, Agent& agent) {
  if (agent.state == AgentState::kGone) return world.last_seq;
  const uint64_t seq = world.Write(AgentRecord{agent.id, AgentRecord::State::kGone, agent.info});
  if (agent.connected()) {
    // It will never try again, so it must not hear of this before it is true for ever.
    RefuseAgent(world, agent.stream, model::Refusal::kAgentGone,
                "an operator declared this agent gone", seq);
    AgentStreamEnded(world, agent);
  }
  if (!agent.tasks.empty()) REACHED("an agent with tasks is declared gone");
  agent.state = AgentState::kGone;
  world.timers.Cancel({TimerKind::kAgentSilence, agent.index.value});
  world.Note(absl::StrCat("agent ", agent.name(), " (", agent.id.value(),
                          ") was declared gone by an operator"));
  EndTasks(world, agent, seq, /*gone=*/true);
  if (agent.in_allocator) {
    world.allocator.RemoveAgent(agent.index);
    agent.in_allocator = false;
  }
  agent.info.resources = Resources();
  agent.free = Resources();
  world.Touch(agent);
  return seq;
}

void ForgiveSilence(World& world, int64_t gap_ms) {
  if (MUTANT("gap-not-forgiven")) return;
  for (auto& [id, agent] : world.agents.all()) {
    if (agent.state == AgentState::kGone || agent.state == AgentState::kUnreachable) continue;
    REACHED("a gap in the clock moved when an agent is unreachable");
    agent.last_heard = agent.last_heard + gap_ms;
  }
  for (auto& [id, framework] : world.frameworks.all()) {
    framework.last_heard = framework.last_heard + gap_ms;
    if (framework.connected() || framework.ending) continue;
    REACHED("a gap in the clock moved a framework's failover deadline");
    framework.disconnected_at = framework.disconnected_at + gap_ms;
    SetFailoverTimer(world, framework);
  }
}

}  // namespace proffer::master
