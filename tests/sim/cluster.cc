#include "sim/cluster.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace proffer::sim {

Cluster::Cluster(const Life& life) : world_(life.seed), network_(&world_) {
  Prng& prng = world_.prng();
  world_.weather() = Weather::Draw(&prng, life.faults);
  const Weather& weather = world_.weather();
  ensemble_ = std::make_unique<Ensemble>(&world_, &network_, &observers_);

  if (prng.Chance(1, 4)) master_options_.offer_timeout_ms = prng.Between(2'000, 20'000);
  if (prng.Chance(1, 4)) master_options_.unreachable_per_minute = prng.Between(1, 5);
  if (prng.Chance(1, 4)) master_options_.valve_min_agents = 100;
  if (prng.Chance(1, 4)) master_options_.most_offers = static_cast<int>(prng.Between(1, 3));
  master_options_.check_invariants = life.own_checks;
  const int64_t masters = prng.Between(1, 3);
  for (int64_t i = 0; i < masters; ++i) {
    masters_.push_back(std::make_unique<MasterNode>(&world_, &network_, ensemble_.get(),
                                                    &observers_, absl::StrCat("m", i + 1),
                                                    master_options_));
  }
  const int few_updates = prng.Chance(1, 4) ? static_cast<int>(prng.Between(1, 3)) : 0;
  const int64_t agents =
      life.agents > 0 ? life.agents : prng.Between(1, prng.Chance(1, 4) ? 10 : 4);
  for (int64_t i = 0; i < agents; ++i) {
    agents_.push_back(std::make_unique<AgentNode>(&world_, &network_, ensemble_.get(), &observers_,
                                                  absl::StrCat("a", i + 1), DrawResources()));
    if (few_updates > 0) agents_.back()->LimitUpdates(few_updates);
  }
  const int64_t users = prng.Between(1, 3);
  for (int64_t i = 0; i < users; ++i) AddUser(static_cast<int>(i) + 1);

  const std::pair<Fault, HostileNode::Way> ways[] = {
      {Fault::kHoarder, HostileNode::Way::kHoarder},
      {Fault::kNeverAcknowledges, HostileNode::Way::kNeverAcknowledges},
      {Fault::kRefusesAll, HostileNode::Way::kRefusesAll},
      {Fault::kReconnectLoop, HostileNode::Way::kReconnectLoop},
      {Fault::kGarbage, HostileNode::Way::kGarbage}};
  for (const auto& [fault, way] : ways) {
    if (weather.Every(fault) == 0) continue;
    hostiles_.push_back(std::make_unique<HostileNode>(
        &world_, &network_, ensemble_.get(), &observers_, std::string(FaultName(fault)), way));
  }
  if (const int64_t ppm = weather.Every(Fault::kClockDrift); ppm > 0) {
    for (auto& node : masters_) node->SetDrift(prng.Between(-ppm, ppm));
    for (auto& node : agents_) node->SetDrift(prng.Between(-ppm, ppm));
    for (auto& node : frameworks_) node->SetDrift(prng.Between(-ppm, ppm));
  }
}

std::string Cluster::DrawResources() {
  Prng& prng = world_.prng();
  return absl::StrCat("cpus:", prng.Between(1, 4), ";mem:", prng.Between(1, 8),
                      "GiB;ports:[31000-31009]", prng.Chance(1, 3) ? ";zones:{a,b,c}" : "");
}

void Cluster::AddUser(int number) {
  Prng& prng = world_.prng();
  const Weather& weather = world_.weather();
  const auto happens = [&](Fault fault) {
    return prng.Below(1'000) < static_cast<uint64_t>(weather.Every(fault));
  };
  auto user = std::make_unique<User>();
  user->name = absl::StrCat("f", number);
  user->role = prng.Chance(1, 2) ? "default" : absl::StrCat("team", number);
  if (weather.Every(Fault::kFrameworkAway) > 0)
    user->failover_timeout_ms = prng.Between(2'000, 30'000);
  if (prng.Chance(1, 4)) user->slowest_hand_ms = prng.Between(100, 5'000);
  if (prng.Chance(1, 4)) user->late_by_ms = prng.Between(100, 10'000);
  if (prng.Chance(1, 4)) user->offer_hold_ms = prng.Between(100, 5'000);
  const int64_t grace_ms = prng.Chance(1, 2) ? prng.Between(500, 5'000) : 500;
  user->tasks.resize(static_cast<size_t>(prng.Between(1, 25)));
  const int64_t spread = prng.Chance(1, 2) ? prng.Between(1'000, 30'000) : 0;
  for (SimTask& task : user->tasks) {
    task.program.run_ms = prng.Between(1, prng.Chance(1, 5) ? 20'000 : 2'000);
    task.program.exit_code = prng.Chance(1, 5) ? 3 : 0;
    task.program.term_ms = prng.Chance(1, 4) ? -1 : prng.Between(0, 1'000);
    task.program.fails_to_start = happens(Fault::kLaunchFails);
    task.program.runs_out_of_memory = happens(Fault::kOutOfMemory);
    if (happens(Fault::kHangsOnKill)) task.program.dies_hard_ms = prng.Between(100, 10'000);
    task.kill_grace_ms = grace_ms;
    task.shape.Set(kCpus, prng.Between(1, 10) * 100);
    task.shape.Set(kMem, prng.Between(1, 16) << 26);
    if (prng.Chance(1, 4)) task.shape.Set(kPorts, prng.Between(1, 2));
    if (prng.Chance(1, 10)) task.max_run_ms = prng.Between(100, 5'000);
    if (prng.Chance(1, 10)) task.stop_after_disconnect_ms = prng.Between(1'000, 10'000);
    if (spread > 0) task.submit_after_ms = prng.Between(0, spread);
  }
  // What goes wrong with a kill shows only if there is something left to be killed.
  if (prng.Chance(1, 3)) user->tasks.front().program.run_ms = prng.Between(60'000, 150'000);
  AddReplica(user.get());
  users_.push_back(std::move(user));
}

void Cluster::AddReplica(User* user) {
  frameworks_.push_back(
      std::make_unique<FrameworkNode>(&world_, &network_, ensemble_.get(), &observers_,
                                      absl::StrCat(user->name, "/", frameworks_.size() + 1), user));
}

void Cluster::Start() {
  for (auto& node : masters_) node->Start();
  for (auto& node : agents_) node->Start();
  for (auto& node : frameworks_) node->Start();
  for (auto& node : hostiles_) node->Start();
}

MasterNode* Cluster::leader() {
  auto* node = static_cast<MasterNode*>(ensemble_->leader());
  return node != nullptr && node->leads() ? node : nullptr;
}

void Cluster::WipeRegistry() {
  for (auto& node : masters_) node->Crash();
  ensemble_->Wipe();
}

void Cluster::RestoreRegistry() {
  if (!ensemble_->wiped()) return;
  for (auto& node : masters_) node->Crash();
  ensemble_->Restore();
}

void Cluster::Heal() {
  for (auto& node : hostiles_) node->Retire();
  RestoreRegistry();
  const Weather calm;
  Weather& weather = world_.weather();
  weather = calm;
  network_.HealAll();
  ensemble_->Heal();
  for (auto& node : masters_) node->Heal();
  for (auto& node : agents_) {
    node->disk().Heal();
    node->shims().Heal();
    node->Heal();
  }
  for (auto& node : frameworks_) node->Heal();
  // Somebody must be left to work for each user.
  for (auto& user : users_) {
    bool served = false;
    for (auto& node : frameworks_) served |= &node->user() == user.get() && node->up();
    if (served || user->torn_down) continue;
    AddReplica(user.get());
    frameworks_.back()->Start();
  }
}

void Cluster::WatchForLost() {
  if (MasterNode* master = leader()) {
    for (auto& node : agents_) {
      for (const model::AgentId& id : node->lost_ids()) {
        master->Ask({0, master::MarkGoneAsked{id}});
      }
    }
  }
  world_.After(5'000, [this] { WatchForLost(); });
}

bool Cluster::AllDone() const {
  for (const auto& user : users_) {
    if (!user->done()) return false;
  }
  return true;
}

void Cluster::TearDown() {
  for (auto& user : users_) user->tearing_down = true;
  for (size_t i = 0; i < frameworks_.size(); ++i) {
    if (frameworks_[i]->up()) frameworks_[i]->TearDown();
  }
}

bool Cluster::AllTornDown() const {
  for (const auto& user : users_) {
    if (!user->torn_down) return false;
  }
  return true;
}

int64_t Cluster::tasks() const {
  int64_t tasks = 0;
  for (const auto& user : users_) tasks += static_cast<int64_t>(user->tasks.size());
  return tasks;
}

}  // namespace proffer::sim
