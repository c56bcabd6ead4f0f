#include "master/core/world.h"

#include <utility>

#include "common/base/simulation.h"

namespace proffer::master {

World::World(const Config& c, allocator::Options options)
    : config(c), prng(c.seed), allocator(options) {}

uint64_t World::Write(Record record) {
  ++last_seq;
  out->records.push_back({last_seq, std::move(record)});
  return last_seq;
}

void World::Tell(const Agent& agent, model::AgentOrder order, uint64_t after_seq) {
  if (!agent.connected()) return;
  out->to_agents.push_back({agent.stream, after_seq, std::move(order), false});
}

void World::Tell(const Framework& framework, model::SchedulerEvent event, uint64_t after_seq) {
  if (!framework.connected()) return;
  out->to_schedulers.push_back({framework.stream, after_seq, std::move(event), false});
}

void World::Answer(const Framework& framework, uint64_t call_id,
                   std::vector<model::CallResult::Item> items, uint64_t after_seq) {
  if (call_id == 0) return;
  if (MUTANT("told-before-durable")) after_seq = 0;
  Tell(framework, model::CallResult{call_id, std::move(items)}, after_seq);
}

void World::Answer(const Framework& framework, uint64_t call_id, model::Outcome outcome,
                   uint64_t after_seq) {
  Answer(framework, call_id, {model::CallResult::Item{"", std::move(outcome), {}}}, after_seq);
}

void EmitDeltas(World& world) {
  Touched touched = std::exchange(world.touched, Touched());
  const auto emit = [&world](View view) {
    world.out->deltas.push_back({world.last_seq, std::move(view), false});
  };
  for (Delta& delta : touched.removed) {
    delta.after_seq = world.last_seq;
    world.out->deltas.push_back(std::move(delta));
  }
  for (const model::AgentId& id : touched.agents) {
    if (const Agent* agent = world.agents.Find(id)) emit(ViewOf(*agent));
  }
  for (const model::FrameworkId& id : touched.frameworks) {
    if (const Framework* framework = world.frameworks.Find(id)) emit(ViewOf(*framework));
  }
  for (const auto& [id, row] : touched.tasks) {
    const Framework* framework = world.frameworks.Find(id);
    if (framework == nullptr) continue;
    const auto it = framework->tasks.find(row);
    if (it != framework->tasks.end()) emit(ViewOf(world, *framework, it->second));
  }
  for (const model::OfferId& id : touched.offers) {
    if (const Offer* offer = world.offers.Find(id)) emit(ViewOf(world, *offer));
  }
  if (!touched.shares) return;
  std::map<std::string, int64_t> frameworks;
  for (const auto& [id, framework] : world.frameworks.all()) {
    for (const std::string& role : framework.info.roles) ++frameworks[role];
  }
  for (const allocator::RoleShare& share : world.allocator.RoleShares()) {
    const std::string& role = world.allocator.RoleName(share.role);
    emit(RoleView{role, share.weight_milli, share.share, share.weighted_share,
                  world.allocator.ToQuantities(share.held), frameworks[role]});
  }
}

}  // namespace proffer::master
