#include "sim/world/ensemble.h"

#include <algorithm>
#include <utility>

#include "common/convert/record.h"
#include "proffer/internal/registry.pb.h"

namespace proffer::sim {
namespace {

constexpr int64_t kLookEveryMs = 250;

}  // namespace

absl::Status Ensemble::Log::Write(const std::vector<Mutation>& batch) {
  for (const Mutation& mutation : batch) {
    if (mutation.key != "epoch" || !mutation.value) continue;
    absl::StatusOr<convert::OpenedRecord> record =
        convert::OpenRecord(mutation.key, *mutation.value);
    internal::EpochRecord epoch;
    if (record.ok() && epoch.ParseFromString(record->payload)) epoch_ = epoch.epoch();
    if (watched_) observers_->Show(&Observer::EpochRaised, epoch_);
  }
  return Commit(epoch_, batch);
}

absl::Status Ensemble::Log::Commit(uint64_t epoch, const std::vector<Mutation>& batch) {
  for (const Mutation& mutation : batch) {
    if (watched_) observers_->Show(&Observer::Committed, epoch, mutation);
  }
  return store_.Write(batch);
}

Ensemble::Ensemble(World* world, Network* network, const Observers* observers)
    : world_(world),
      network_(network),
      observers_(observers),
      host_(network->Add("ensemble")),
      store_(std::make_unique<Log>(observers, /*watched=*/true)),
      session_ms_(world->prng().Between(2'000, 10'000)) {
  Watch();
}

void Ensemble::Join(Candidate* candidate) {
  candidate->session_ = ++last_session_;
  candidates_.push_back(candidate);
}

void Ensemble::Leave(Candidate* candidate) {
  std::erase(candidates_, candidate);
  if (former_ == candidate) former_ = nullptr;
  // Some of what it had sent may still be carried out.
  auto& writes = writes_[candidate];
  const size_t made_it =
      candidate->session_ == failed_session_ ? 0 : world_->prng().Below(writes.size() + 1);
  for (size_t i = 0; i < made_it && writes[i].epoch == store_->epoch() && !Away(); ++i) {
    (void)store_->Commit(writes[i].epoch, writes[i].batch);
  }
  writes.clear();
  // A process that dies may be noticed at once, or when its session ends.
  if (candidate == leader_ && world_->prng().Chance(1, 2)) Expire();
}

bool Ensemble::Reached(const Candidate& candidate) const {
  return candidate.up() && !candidate.paused() && !Away() &&
         network_->Reaches(candidate.host(), host_) && network_->Reaches(host_, candidate.host());
}

void Ensemble::Watch() {
  world_->After(kLookEveryMs, [this] {
    // Without a quorum no session ends; a leader that has died and come back has another one.
    if (leader_ != nullptr &&
        (Away() || (leader_->session_ == leading_session_ && Reached(*leader_)))) {
      last_seen_ = world_->now();
    }
    if (leader_ != nullptr && world_->now() >= last_seen_ + session_ms_) Expire();
    if (leader_ == nullptr) Elect();
    Watch();
  });
}

void Ensemble::Expire() {
  world_->Trace("ensemble", "session of " + leader_->name() + " ended");
  if (leader_->up() && leader_->session_ == leading_session_) {
    former_ = leader_;
    std::erase(candidates_, leader_);
    // Meanwhile it goes on as if nothing had happened.
    world_->After(
        world_->prng().Between(0, world_->prng().Chance(1, 3) ? 20'000 : 500),
        [this, former = leader_, session = leading_session_] { TellLost(former, session); });
  }
  leader_ = nullptr;
}

void Ensemble::TellLost(Candidate* former, uint64_t session) {
  if (!former->up() || former->session_ != session) return;
  if (Reached(*former)) {
    former->SessionLost();
    return;
  }
  world_->After(kLookEveryMs, [this, former, session] { TellLost(former, session); });
}

void Ensemble::Elect() {
  std::vector<Candidate*> present;
  for (Candidate* candidate : candidates_) {
    if (Reached(*candidate)) present.push_back(candidate);
  }
  if (present.empty()) return;
  leader_ = present[world_->prng().Below(present.size())];
  leading_session_ = leader_->session_;
  last_seen_ = world_->now();
  world_->Trace("ensemble", leader_->name() + " leads");
  leader_->Lead();
}

Candidate* Ensemble::LeaderAsKnown() {
  if (former_ != nullptr && world_->prng().Chance(1, 2)) return former_;
  if (!candidates_.empty() && world_->prng().Chance(1, 20)) {
    return candidates_[world_->prng().Below(candidates_.size())];
  }
  return leader_;
}

void Ensemble::Write(Candidate* writer, uint64_t epoch, std::vector<Mutation> batch,
                     std::function<void(absl::Status)> answered) {
  writes_[writer].push_back({epoch, std::move(batch), std::move(answered)});
  if (!std::exchange(serving_[writer], true)) Serve(writer);
}

void Ensemble::Serve(Candidate* writer) {
  int64_t takes = world_->DiskTime();
  if (world_->now() < slow_until_) takes += world_->prng().Between(100, 2'000);
  world_->After(takes, [this, writer] {
    auto& queue = writes_[writer];
    if (queue.empty()) {
      serving_[writer] = false;
      return;
    }
    if (Away() || !network_->Reaches(writer->host(), host_)) return Serve(writer);
    const Pending pending = std::move(queue.front());
    queue.pop_front();
    if (pending.epoch != store_->epoch()) {
      pending.answered(absl::FailedPreconditionError("a newer epoch was raised"));
    } else if (std::exchange(fail_next_, false) || writer->session_ == failed_session_) {
      // With the session's connection everything behind it is lost as well.
      failed_session_ = writer->session_;
      pending.answered(absl::UnavailableError("write failed"));
    } else {
      const absl::Status written = store_->Commit(pending.epoch, pending.batch);
      if (!std::exchange(silence_next_, false) && network_->Reaches(host_, writer->host())) {
        pending.answered(written);
      } else {
        // The client gives up in the end: what became of the write it does not know.
        world_->After(session_ms_, [answered = pending.answered] {
          answered(absl::UnavailableError("connection lost"));
        });
      }
    }
    Serve(writer);
  });
}

void Ensemble::Flap() {
  if (leader_ != nullptr) Expire();
}

void Ensemble::Wipe() {
  if (wiped()) return;
  world_->Trace("ensemble", "the registry is emptied");
  home_ = std::exchange(store_, std::make_unique<Log>(observers_, /*watched=*/false));
}

void Ensemble::Restore() {
  if (!wiped()) return;
  world_->Trace("ensemble", "the registry is put back");
  store_ = std::move(home_);
}

void Ensemble::Heal() {
  fail_next_ = silence_next_ = false;
  slow_until_ = away_until_ = Time();
}

}  // namespace proffer::sim
