#include "master/core/registration.h"

#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/base/simulation.h"
#include "master/core/liveness.h"
#include "master/core/validate.h"
#include "master/core/world.h"

namespace proffer::master {
namespace {

// What each side believes the agent runs is compared, and neither guesses: tasks that only the
// agent knows are taken in, for tasks that only we know the agent must say that it lacks them.
void SettleTasks(World& world, Agent& agent, bool was_unreachable) {
  std::set<std::pair<model::TaskKey, model::AttemptId>> reported;
  std::set<model::FrameworkId> ended_frameworks;
  for (const model::TaskSummary& summary : agent.reported) {
    reported.insert({summary.key, summary.attempt});
    Framework* framework = world.frameworks.Find(summary.key.framework);
    if (framework == nullptr && world.frameworks.WasRemoved(summary.key.framework)) {
      REACHED("an agent brings a task of a framework that was torn down");
      framework = &AdoptEnding(world, summary.key.framework);
    } else if (framework == nullptr) {
      REACHED("a framework is known from an agent only");
      framework = &AdoptFromAgent(world, summary.key.framework);
    }
    if (framework->ending) ended_frameworks.insert(framework->id());
    TaskReported(world, agent, *framework, summary);
  }
  agent.reported.clear();

  model::ExpectTasks expect;
  const auto tasks = agent.tasks;  // A copy: rows may leave the set.
  for (const auto& [key, attempt] : tasks) {
    Framework* framework = world.frameworks.Find(key.framework);
    const Task& task = framework->tasks.at({key.task, attempt});
    if (reported.count({key, attempt}) == 0 && task.ended()) {
      REACHED("an agent no longer has a task that it told the end of");
      // Agents keep what is not acknowledged, so its end was.
      EndRow(world, *framework, {key.task, attempt});
    } else if (reported.count({key, attempt}) == 0) {
      REACHED("an agent comes back without a task that the master launched there");
      expect.tasks.push_back({key, attempt, task.intent_id});
    } else if (task.kill_requested && !task.ended()) {
      REACHED("a kill is repeated to an agent that came back");
      if (MUTANT("kill-not-resent")) continue;
      if (MUTANT("broad-order")) world.Tell(agent, model::EndFramework{key.framework});
      world.Tell(agent, model::KillTask{key, attempt, task.kill_grace_ms});
    }
  }
  if (MUTANT("ghost-task")) expect.tasks.clear();
  if (!expect.tasks.empty()) world.Tell(agent, std::move(expect));
  if (MUTANT("orphans-live-on")) ended_frameworks.clear();
  for (const model::FrameworkId& id : ended_frameworks) {
    // That it was removed may have been written only just now.
    world.Tell(agent, model::EndFramework{id}, world.last_seq);
  }
  if (!was_unreachable) return;
  if (!reported.empty()) REACHED("an agent comes back from unreachable with tasks");
  for (auto& [id, framework] : world.frameworks.all()) {
    world.Tell(framework, model::AgentChanged{agent.id, model::AgentChanged::Change::kBack});
  }
}

// How much of its tasks an agent may tell in one message.
int64_t ChunkBytes() {
  return MAYBE("ask for one task at a time") ? 1 : static_cast<int64_t>(limits::kChunkBytes);
}

void FinishRegistration(World& world, Agent& agent) {
  const bool was_unreachable = agent.state == AgentState::kUnreachable;
  agent.registering = false;
  agent.state = AgentState::kConnected;
  SettleTasks(world, agent, was_unreachable);
  SyncActive(world, agent);
  world.Tell(agent, model::Registered{});
  world.Touch(agent);
  world.touched.shares = true;
  world.Note(absl::StrCat("agent ", agent.name(), " (", agent.id.value(), ") registered with ",
                          agent.info.resources.ToString(), " and ", agent.tasks.size(), " tasks"));
}

}  // namespace

bool IsAwaited(const Agent& agent) {
  return agent.state == AgentState::kRecovered || agent.registering;
}

bool AnyAwaited(const World& world) {
  for (const auto& [id, agent] : world.agents.all()) {
    if (IsAwaited(agent)) return true;
  }
  return false;
}

bool AnyUnreachable(const World& world) {
  for (const auto& [id, agent] : world.agents.all()) {
    if (agent.state == AgentState::kUnreachable) return true;
  }
  return false;
}

void RefuseAgent(World& world, StreamId stream, model::Refusal refusal, std::string message,
                 uint64_t after_seq) {
  world.Note(absl::StrCat("agent on stream ", stream, " refused: ", message));
  world.out->to_agents.push_back(
      {stream, after_seq, model::AgentError{refusal, std::move(message)}, true});
}

void AgentSaidHello(World& world, StreamId stream, Time received, const model::AgentHello& hello) {
  if (model::Outcome outcome = ValidateHello(world, hello); !outcome.ok()) {
    RefuseAgent(world, stream, outcome.refusal, std::move(outcome.message));
    return;
  }
  Agent* agent = hello.agent.empty() ? nullptr : world.agents.Find(hello.agent);
  if (agent != nullptr && agent->state == AgentState::kGone && !MUTANT("gone-agent-returns")) {
    REACHED("an agent that was declared gone says hello");
    RefuseAgent(world, stream, model::Refusal::kAgentGone,
                absl::StrCat("agent ", hello.agent.value(),
                             " was declared gone by an operator; wipe its work directory to let "
                             "the machine come back as a new agent"),
                world.last_seq);  // It may have been declared a moment ago.
    return;
  }
  if (agent != nullptr && agent->connected() && MUTANT("older-agent-stream-goes-on")) {
    world.out->to_agents.push_back(
        {stream, 0,
         model::Welcome{model::ThisVersion(), world.config.cluster_id, world.config.epoch,
                        agent->id, world.config.ping_ms, world.config.unreachable_ms},
         false});
    return;
  }
  if (agent != nullptr && agent->connected()) {
    REACHED("a second stream of an agent fences the first");
    RefuseAgent(world, agent->stream, model::Refusal::kSuperseded,
                absl::StrCat("another process connected as agent ", agent->id.value()));
    AgentStreamEnded(world, *agent);
  }
  const bool admit =
      agent == nullptr || agent->state == AgentState::kUnreachable || !(agent->info == hello.info);
  if (agent == nullptr) {
    model::AgentId id = hello.agent;
    if (id.empty() && MUTANT("ids-from-a-counter")) {
      id = model::AgentId(absl::StrCat("A-", world.last_seq));
    }
    if (id.empty()) id = model::AgentId(absl::StrCat("A-", world.prng.Word(12)));
    agent = &world.agents.Add(id);
  }
  SetInfo(world, *agent, hello.info);
  agent->version = hello.version;
  agent->resources_generation = hello.resources_generation;
  agent->last_heard = received;
  world.agents.Connect(*agent, stream);
  agent->registering = true;
  uint64_t after_seq = 0;
  if (admit) {
    after_seq = world.Write(AgentRecord{agent->id, AgentRecord::State::kAdmitted, agent->info});
    if (MUTANT("registry-after-effect")) after_seq = 0;
  }
  world.Tell(*agent,
             model::Welcome{model::ThisVersion(), world.config.cluster_id, world.config.epoch,
                            agent->id, world.config.ping_ms, world.config.unreachable_ms},
             after_seq);
  world.Tell(*agent, model::SendTasks{0, ChunkBytes()});
  WatchLiveness(world, *agent);
  world.Touch(*agent);
}

void AgentReportedTasks(World& world, Agent& agent, model::TaskChunk chunk) {
  if (!agent.registering || chunk.cursor != static_cast<int64_t>(agent.reported.size())) {
    RefuseAgent(world, agent.stream, model::Refusal::kInvalid,
                absl::StrCat("tasks from cursor ", chunk.cursor, " were not asked for; expected ",
                             agent.reported.size()));
    AgentStreamEnded(world, agent);
    return;
  }
  for (const model::TaskSummary& summary : chunk.tasks) {
    if (model::Outcome outcome = ValidateSummary(world, summary); !outcome.ok()) {
      RefuseAgent(world, agent.stream, outcome.refusal, std::move(outcome.message));
      AgentStreamEnded(world, agent);
      return;
    }
  }
  for (model::TaskSummary& summary : chunk.tasks) agent.reported.push_back(std::move(summary));
  if (chunk.last) {
    FinishRegistration(world, agent);
    return;
  }
  REACHED("an agent reports its tasks in several chunks");
  world.Tell(agent, model::SendTasks{static_cast<int64_t>(agent.reported.size()), ChunkBytes()});
}

void AgentStreamEnded(World& world, Agent& agent) {
  if (agent.registering) REACHED("an agent's stream ends while it reports its tasks");
  if (!agent.offers.empty()) REACHED("offers are taken back because their agent disconnected");
  world.agents.Disconnect(agent);
  if (agent.state == AgentState::kConnected) agent.state = AgentState::kDisconnected;
  SyncActive(world, agent);
  RescindAll(world, agent, "its agent is disconnected");
  world.timers.Cancel({TimerKind::kAgentPing, agent.index.value});
  world.Touch(agent);
  world.Note(absl::StrCat("agent ", agent.name(), " (", agent.id.value(), ") disconnected"));
}

void RecoverAgent(World& world, const AgentRecord& record) {
  Agent& agent = world.agents.Add(record.id);
  agent.info = record.info;
  agent.last_heard = world.now;
  switch (record.state) {
    case AgentRecord::State::kAdmitted:
      agent.state = AgentState::kRecovered;
      WatchLiveness(world, agent);
      break;
    case AgentRecord::State::kUnreachable:
      agent.state = AgentState::kUnreachable;
      break;
    case AgentRecord::State::kGone:
      agent.state = AgentState::kGone;
      agent.info.resources = Resources();
      break;
  }
  world.Touch(agent);
}

}  // namespace proffer::master
