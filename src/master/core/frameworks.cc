#include "master/core/frameworks.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/limits.h"
#include "common/base/simulation.h"
#include "master/core/reconciliation.h"
#include "master/core/registration.h"
#include "master/core/validate.h"
#include "master/core/world.h"

namespace proffer::master {
namespace {

// How often the time that a framework has been away is written down. Each new leader may grant it
// that much more than its failover timeout; leaders that live shorter than that would grant it for
// ever, so it is a small part of the timeout, and never long.
int64_t ElapsedEveryMs(const Framework& framework) {
  return std::clamp<int64_t>(framework.failover_timeout_ms() / 10, 1'000, 600'000);
}

std::vector<allocator::RoleIndex> InternRoles(World& world, const std::vector<std::string>& roles) {
  std::vector<allocator::RoleIndex> indices;
  for (const std::string& role : roles) indices.push_back(world.allocator.InternRole(role));
  return indices;
}

void RefuseStream(World& world, StreamId stream, model::Outcome outcome, uint64_t after_seq = 0) {
  world.Note(absl::StrCat("scheduler on stream ", stream, " refused: ", outcome.message));
  world.out->to_schedulers.push_back(
      {stream, after_seq, model::StreamError{outcome.refusal, std::move(outcome.message)}, true});
}

void SetElapsedTimer(World& world, const Framework& framework) {
  if (framework.info.ephemeral) return;
  world.timers.Set({TimerKind::kElapsed, framework.index.value},
                   world.now + ElapsedEveryMs(framework));
}

// Away from now on: nothing is offered, and the failover timeout runs.
void BeginAway(World& world, Framework& framework) {
  framework.disconnected_at = world.now;
  world.allocator.SetFrameworkActive(framework.index, false);
  SetFailoverTimer(world, framework);
  world.timers.Cancel({TimerKind::kHeartbeat, framework.index.value});
  SetElapsedTimer(world, framework);
  world.Touch(framework);
}

// Whether one more framework may be known. Those that hold nothing but their id make room for it, a
// tenth of all at once, so that a crowd of them is looked through now and then only. While agents
// are missing nobody knows who holds nothing.
bool HasRoom(World& world) {
  const auto known = [&world] { return world.frameworks.all().size() - world.ending.size(); };
  const size_t most = static_cast<size_t>(world.config.max_frameworks);
  if (known() < most) return true;
  if (AnyAwaited(world) || AnyUnreachable(world)) return false;
  std::vector<std::pair<Time, Framework*>> idle;
  for (auto& [id, framework] : world.frameworks.all()) {
    if (framework.connected() || framework.ending || !framework.tasks.empty()) continue;
    idle.emplace_back(framework.disconnected_at, &framework);
  }
  std::sort(idle.begin(), idle.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  if (idle.size() > most / 10 + 1) idle.resize(most / 10 + 1);
  for (const auto& [since, framework] : idle) {
    TearDown(world, *framework,
             absl::StrCat("away and without tasks, while there are ", most,
                          " frameworks, the most that a master knows"));
  }
  return known() < most;
}

// REQUIRES: validated.
std::vector<allocator::Demand> ToDemands(World& world, const std::vector<model::Demand>& demands) {
  std::vector<allocator::Demand> out;
  for (const model::Demand& demand : demands) {
    if (demand.count == 0) continue;
    out.push_back({world.allocator.InternRole(demand.role), *world.allocator.Intern(demand.shape),
                   demand.count, demand.constraints, demand.label});
  }
  return out;
}

void MarkEnding(World& world, Framework& framework) {
  framework.ending = true;
  world.ending.insert(framework.id());
  world.Touch(framework);
}

Framework& AddRow(World& world, const model::FrameworkInfo& info) {
  Framework& framework = world.frameworks.Add(info);
  world.allocator.AddFramework(framework.index, InternRoles(world, info.roles));
  world.allocator.SetFrameworkActive(framework.index, false);
  return framework;
}

}  // namespace

int64_t Framework::failover_timeout_ms() const {
  if (info.ephemeral) return limits::kEphemeralFailoverMs;
  return info.failover_timeout_ms > 0 ? info.failover_timeout_ms
                                      : limits::kFailoverTimeoutDefaultMs;
}

Framework* Frameworks::Find(const model::FrameworkId& id) {
  auto it = by_id_.find(id);
  return it == by_id_.end() ? nullptr : &it->second;
}

const Framework* Frameworks::Find(const model::FrameworkId& id) const {
  auto it = by_id_.find(id);
  return it == by_id_.end() ? nullptr : &it->second;
}

Framework* Frameworks::FindByStream(StreamId stream) {
  auto it = by_stream_.find(stream);
  return it == by_stream_.end() ? nullptr : it->second;
}

Framework& Frameworks::At(allocator::FrameworkIndex index) { return *by_index_.at(index.value); }

Framework& Frameworks::Add(const model::FrameworkInfo& info) {
  Framework& framework = by_id_[info.id];
  framework.info = info;
  if (free_indices_.empty()) {
    framework.index = allocator::FrameworkIndex(static_cast<uint32_t>(by_index_.size()));
    by_index_.push_back(&framework);
  } else {
    framework.index = allocator::FrameworkIndex(free_indices_.back());
    free_indices_.pop_back();
    by_index_[framework.index.value] = &framework;
  }
  return framework;
}

void Frameworks::Connect(Framework& framework, StreamId stream) {
  framework.stream = stream;
  by_stream_[stream] = &framework;
}

void Frameworks::Disconnect(Framework& framework) {
  by_stream_.erase(framework.stream);
  framework.stream = 0;
}

void Frameworks::Remove(Framework& framework) {
  Disconnect(framework);
  by_index_[framework.index.value] = nullptr;
  free_indices_.push_back(framework.index.value);
  const model::FrameworkId id = framework.id();
  by_id_.erase(id);
}

void Frameworks::RememberRemoved(const model::FrameworkId& id) {
  if (removed_.insert(id).second) removed_order_.push_back(id);
}

std::optional<model::FrameworkId> Frameworks::ForgetRemoved() {
  if (removed_order_.size() <= static_cast<size_t>(limits::kRemovedFrameworks)) {
    return std::nullopt;
  }
  const model::FrameworkId id = removed_order_.front();
  removed_order_.pop_front();
  removed_.erase(id);
  return id;
}

void SetFailoverTimer(World& world, const Framework& framework) {
  const int64_t left = framework.failover_timeout_ms() - framework.disconnected_before_ms;
  world.timers.Set({TimerKind::kFailover, framework.index.value},
                   framework.disconnected_at + std::max<int64_t>(left, 0));
}

void WriteFrameworkRecord(World& world, const Framework& framework) {
  if (framework.info.ephemeral) return;
  int64_t away_ms = framework.disconnected_before_ms;
  if (!framework.connected()) away_ms += world.now - framework.disconnected_at;
  world.Write(
      FrameworkRecord{framework.info, framework.principal, false, away_ms, framework.instance});
}

void ElapsedDue(World& world, const Framework& framework) {
  WriteFrameworkRecord(world, framework);
  SetElapsedTimer(world, framework);
}

void FrameworkSubscribed(World& world, StreamId stream, const std::string& principal,
                         uint64_t call_id, const model::Subscribe& subscribe) {
  if (world.frameworks.FindByStream(stream) != nullptr) {
    Framework& framework = *world.frameworks.FindByStream(stream);
    world.Answer(framework, call_id,
                 {model::Refusal::kInvalid,
                  "this stream has subscribed already; use "
                  "update_framework, or a new stream"});
    return;
  }
  if (model::Outcome o = ValidateSubscribe(world, principal, subscribe); !o.ok()) {
    // That a framework was removed must be true for ever before it is said.
    RefuseStream(world, stream, std::move(o), world.last_seq);
    return;
  }
  model::FrameworkInfo info = subscribe.framework;
  if (info.id.empty()) info.id = model::FrameworkId(absl::StrCat("F-", world.prng.Word(12)));

  Framework* framework = world.frameworks.Find(info.id);
  if (framework == nullptr && !HasRoom(world)) {
    RefuseStream(world, stream,
                 {model::Refusal::kTooMany,
                  absl::StrCat("all ", world.config.max_frameworks,
                               " frameworks that a master knows are connected or have tasks; "
                               "tear some down, or raise --max_frameworks")});
    return;
  }
  if (framework == nullptr) {
    framework = &AddRow(world, info);
  } else if (framework->connected() && MUTANT("older-scheduler-goes-on")) {
    world.out->to_schedulers.push_back(
        {stream, 0,
         model::Subscribed{model::ThisVersion(), info.id, world.config.cluster_id,
                           world.config.epoch, world.config.heartbeat_ms},
         false});
    return;
  } else if (framework->connected() && !MUTANT("older-stream-not-fenced")) {
    REACHED("a newer instance of a framework fences the older one");
    RefuseStream(world, framework->stream,
                 {model::Refusal::kSuperseded,
                  absl::StrCat("a newer instance of framework ", info.id.value(),
                               " has subscribed; this one must stop")});
    FrameworkStreamClosed(world, *framework);
  } else if (!framework->tasks.empty()) {
    REACHED("a framework comes back to its tasks within its failover timeout");
  }
  // Nothing durable is to be left of one that need not survive any more.
  const bool forget = info.ephemeral && !framework->info.ephemeral && !framework->principal.empty();
  framework->info = info;
  framework->principal = principal;
  framework->instance = std::max(framework->instance, subscribe.instance);
  framework->known_only_from_agents = false;
  if (!MUTANT("time-away-never-forgotten")) framework->disconnected_before_ms = 0;
  framework->demand_declared = false;
  framework->demands.clear();
  world.frameworks.Connect(*framework, stream);
  framework->last_heard = world.now;
  world.timers.Cancel({TimerKind::kFailover, framework->index.value});
  world.timers.Cancel({TimerKind::kElapsed, framework->index.value});
  world.timers.Set({TimerKind::kHeartbeat, framework->index.value},
                   world.now + world.config.heartbeat_ms);
  if (forget) REACHED("a durable framework comes back as an ephemeral one");
  if (forget) world.Write(FrameworkForgotten{info.id});
  WriteFrameworkRecord(world, *framework);
  uint64_t after_seq = info.ephemeral && !forget ? 0 : world.last_seq;
  if (MUTANT("told-before-durable")) after_seq = 0;

  world.allocator.UpdateRoles(framework->index, InternRoles(world, info.roles));
  world.allocator.SetDemand(framework->index, false, {});
  world.allocator.SetFrameworkActive(framework->index, true);
  framework->suppressed.clear();
  world.allocator.Revive(framework->index, {});
  if (!subscribe.suppressed_roles.empty()) {
    framework->suppressed.insert(subscribe.suppressed_roles.begin(),
                                 subscribe.suppressed_roles.end());
    world.allocator.Suppress(framework->index, InternRoles(world, subscribe.suppressed_roles));
  }
  world.Tell(*framework,
             model::Subscribed{model::ThisVersion(), info.id, world.config.cluster_id,
                               world.config.epoch, world.config.heartbeat_ms},
             after_seq);
  world.Answer(*framework, call_id, model::Outcome::Ok(), after_seq);
  RepeatUnacknowledged(world, *framework);
  world.Touch(*framework);
  world.touched.shares = true;
  world.Note(absl::StrCat("framework ", info.name, " (", info.id.value(), ") subscribed with ",
                          absl::StrJoin(info.roles, ", "), " as ", principal));
}

void FrameworkUpdated(World& world, Framework& framework, uint64_t call_id,
                      const model::UpdateFramework& update) {
  if (model::Outcome o = ValidateRoles(update.roles, update.suppressed_roles); !o.ok()) {
    world.Answer(framework, call_id, std::move(o));
    return;
  }
  if (update.failover_timeout_ms < 0) {
    world.Answer(framework, call_id,
                 {model::Refusal::kInvalid, "failover_timeout_ms is negative; expected 0 or more"});
    return;
  }
  if (model::Outcome o = ValidateNewRoles(world, update.roles); !o.ok()) {
    world.Answer(framework, call_id, std::move(o));
    return;
  }
  framework.info.roles = update.roles;
  framework.info.failover_timeout_ms = update.failover_timeout_ms;
  // Offers of roles that were dropped make no sense any more; the simplest is to begin anew.
  RescindAll(world, framework, "the roles of the framework changed");
  world.allocator.UpdateRoles(framework.index, InternRoles(world, update.roles));
  std::erase_if(framework.demands, [&](const model::Demand& demand) {
    return !ValidateOwnRoles(framework, {demand.role}).ok();
  });
  world.allocator.SetDemand(framework.index, framework.demand_declared,
                            ToDemands(world, framework.demands));
  framework.suppressed.clear();
  world.allocator.Revive(framework.index, {});
  if (!update.suppressed_roles.empty()) {
    framework.suppressed.insert(update.suppressed_roles.begin(), update.suppressed_roles.end());
    world.allocator.Suppress(framework.index, InternRoles(world, update.suppressed_roles));
  }
  WriteFrameworkRecord(world, framework);
  world.Answer(framework, call_id, model::Outcome::Ok(),
               framework.info.ephemeral ? 0 : world.last_seq);
  world.Touch(framework);
}

void DemandSet(World& world, Framework& framework, uint64_t call_id, const model::SetDemand& set) {
  if (model::Outcome o = ValidateDemand(world, framework, set); !o.ok()) {
    world.Answer(framework, call_id, std::move(o));
    return;
  }
  world.allocator.SetDemand(framework.index, set.declared, ToDemands(world, set.demands));
  framework.demand_declared = set.declared;
  framework.demands = set.demands;
  world.Answer(framework, call_id, model::Outcome::Ok());
  world.Touch(framework);
}

void RolesSuppressed(World& world, Framework& framework, uint64_t call_id,
                     const std::vector<std::string>& roles) {
  if (model::Outcome o = ValidateOwnRoles(framework, roles); !o.ok()) {
    world.Answer(framework, call_id, std::move(o));
    return;
  }
  world.allocator.Suppress(framework.index, InternRoles(world, roles));
  const std::vector<std::string>& meant = roles.empty() ? framework.info.roles : roles;
  framework.suppressed.insert(meant.begin(), meant.end());
  world.Answer(framework, call_id, model::Outcome::Ok());
  world.Touch(framework);
}

void RolesRevived(World& world, Framework& framework, uint64_t call_id,
                  const std::vector<std::string>& roles) {
  if (model::Outcome o = ValidateOwnRoles(framework, roles); !o.ok()) {
    world.Answer(framework, call_id, std::move(o));
    return;
  }
  world.allocator.Revive(framework.index, InternRoles(world, roles));
  if (roles.empty()) framework.suppressed.clear();
  for (const std::string& role : roles) framework.suppressed.erase(role);
  world.Answer(framework, call_id, model::Outcome::Ok());
  world.Touch(framework);
}

void FrameworkStreamClosed(World& world, Framework& framework) {
  if (!framework.offers.empty()) REACHED("a framework's stream ends while it has offers");
  if (!framework.questions.empty()) REACHED("a framework's stream ends in the middle of an answer");
  DiscardAll(world, framework);
  framework.questions.clear();
  framework.told_since_heartbeat = 0;
  world.frameworks.Disconnect(framework);
  BeginAway(world, framework);
  WriteFrameworkRecord(world, framework);
  world.Note(absl::StrCat("framework ", framework.info.name, " (", framework.id().value(),
                          ") disconnected; its tasks live on for ",
                          framework.failover_timeout_ms() / 1000, " s"));
}

void HeartbeatDue(World& world, Framework& framework) {
  const int64_t silent_ms = world.now - framework.last_heard;
  if (silent_ms >= limits::kSilentHeartbeats * world.config.heartbeat_ms) {
    RefuseStream(world, framework.stream,
                 {model::Refusal::kTooSlow,
                  absl::StrCat("no call and no answer to a heartbeat for ", silent_ms / 1000,
                               " s; answer heartbeats, and subscribe again")});
    FrameworkStreamClosed(world, framework);
    return;
  }
  world.Tell(framework, model::Heartbeat{});
  ContinueAnswers(world, framework);
  world.timers.Set({TimerKind::kHeartbeat, framework.index.value},
                   world.now + world.config.heartbeat_ms);
}

void TearDown(World& world, Framework& framework, const std::string& why, uint64_t call_id) {
  if (framework.ending) return;
  const model::FrameworkId id = framework.id();
  world.Note(absl::StrCat("framework ", framework.info.name, " (", id.value(), ") ends: ", why));
  DiscardAll(world, framework);
  uint64_t after_seq = 0;
  if (!framework.info.ephemeral) {
    after_seq = world.Write(FrameworkRecord{framework.info, framework.principal, true, 0});
  }
  world.Answer(framework, call_id, model::Outcome::Ok(), after_seq);
  if (framework.connected()) {
    world.out->to_schedulers.push_back({framework.stream, after_seq,
                                        model::StreamError{model::Refusal::kFrameworkRemoved, why},
                                        true});
    world.frameworks.Disconnect(framework);
  }
  for (const TimerKind kind : {TimerKind::kFailover, TimerKind::kHeartbeat, TimerKind::kElapsed}) {
    world.timers.Cancel({kind, framework.index.value});
  }
  framework.questions.clear();
  framework.demand_declared = false;
  framework.demands.clear();
  world.allocator.SetFrameworkActive(framework.index, false);
  MarkEnding(world, framework);
  world.frameworks.RememberRemoved(id);
  if (const auto forgotten = world.frameworks.ForgetRemoved()) {
    world.Write(FrameworkForgotten{*forgotten});
  }

  std::set<model::AgentId> agents;
  std::vector<TaskRowKey> over;  // What nobody will tell of, or has told of.
  for (auto& [key, task] : framework.tasks) {
    const Agent* agent = world.agents.Find(task.agent);
    const bool reachable = agent != nullptr && agent->state != AgentState::kUnreachable &&
                           agent->state != AgentState::kGone;
    if (!task.ended()) {
      REACHED("a framework is torn down while a task of it lives");
      task.reason = model::TaskReason::kFrameworkRemoved;
      task.message = why;
    }
    if (task.ended() || !reachable) {
      over.push_back(key);
    } else {
      if (!agent->connected()) REACHED("a framework is torn down while an agent of it is away");
      agents.insert(task.agent);
      world.Touch(task);
    }
  }
  for (const TaskRowKey& key : over) EndRow(world, framework, key);
  for (const model::AgentId& agent : agents) {
    world.Tell(*world.agents.Find(agent), model::EndFramework{id}, after_seq);
  }
}

Framework& AdoptEnding(World& world, const model::FrameworkId& id) {
  Framework& framework = AdoptFromAgent(world, id);
  world.timers.Cancel({TimerKind::kFailover, framework.index.value});
  MarkEnding(world, framework);
  return framework;
}

void RemoveEnded(World& world) {
  std::erase_if(world.ending, [&world](const model::FrameworkId& id) {
    Framework& framework = *world.frameworks.Find(id);
    if (!framework.tasks.empty()) return false;
    world.Removed(ViewOf(framework));
    world.allocator.RemoveFramework(framework.index);
    world.frameworks.Remove(framework);
    world.touched.shares = true;
    return true;
  });
}

Framework& AdoptFromAgent(World& world, const model::FrameworkId& id) {
  model::FrameworkInfo info;
  info.id = id;
  info.name = id.value();
  info.roles = {"default"};
  info.ephemeral = true;  // A durable one would be in the registry.
  Framework& framework = AddRow(world, info);
  framework.known_only_from_agents = true;
  BeginAway(world, framework);
  return framework;
}

void RecoverFramework(World& world, const FrameworkRecord& record) {
  if (record.removed) {
    world.frameworks.RememberRemoved(record.info.id);
    return;
  }
  Framework& framework = AddRow(world, record.info);
  framework.principal = record.principal;
  if (!MUTANT("instance-in-memory-only")) framework.instance = record.instance;
  framework.disconnected_before_ms = record.disconnected_for_ms;
  if (record.disconnected_for_ms > 0) REACHED("a new leader counts the time a framework was away");
  BeginAway(world, framework);
  if (MUTANT("deadline-in-memory-only")) {
    world.timers.Cancel({TimerKind::kFailover, framework.index.value});
  }
}

FrameworkView ViewOf(const Framework& framework) {
  FrameworkView view;
  view.info = framework.info;
  view.principal = framework.principal;
  view.connected = framework.connected();
  view.removed = framework.ending;
  view.suppressed_roles.assign(framework.suppressed.begin(), framework.suppressed.end());
  view.offers = static_cast<int64_t>(framework.offers.size());
  view.live_tasks = framework.live_count;
  view.ended_tasks = framework.ended_count;
  view.demand_declared = framework.demand_declared;
  view.demands = framework.demands;
  return view;
}

}  // namespace proffer::master
