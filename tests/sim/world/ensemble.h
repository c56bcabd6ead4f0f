// A simulated ZooKeeper: who leads, and the registry, fenced by epoch.
//
// The leader's session lives as long as both reach each other; when it has been silent for the
// session's time, another candidate is chosen. Whoever lost the lead is told as soon as it can be,
// which may be late. Every write names the epoch of its writer and is refused if a newer one was
// raised.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/fs/store_memory.h"
#include "sim/nodes/process.h"
#include "sim/world/observer.h"

namespace proffer::sim {

class Candidate : public Process {
 public:
  using Process::Process;
  // Chosen. Called while the process is up and awake.
  virtual void Lead() = 0;
  // The session is over; a process without one ends.
  virtual void SessionLost() = 0;

 private:
  friend class Ensemble;
  uint64_t session_ = 0;
};

class Ensemble {
 public:
  Ensemble(World* world, Network* network, const Observers* observers);

  // Stands for election until it dies.
  void Join(Candidate* candidate);
  void Leave(Candidate* candidate);
  // As somebody on another machine knows it, who may know an older one. Null: nobody leads.
  Candidate* LeaderAsKnown();
  Candidate* leader() const { return leader_; }

  // Reading and raising the epoch, in one step.
  Store* store() { return store_.get(); }
  // `answered` in the order of writing; after an error the writer must end, and what became of the
  // write is not known.
  void Write(Candidate* writer, uint64_t epoch, std::vector<Mutation> batch,
             std::function<void(absl::Status)> answered);

  // --- Faults ---
  // The leader's session ends although it is well; it hears of it late.
  void Flap();
  void FailNextWrite() { fail_next_ = true; }
  // The next write happens, and nobody is told.
  void SilenceNextWrite() { silence_next_ = true; }
  void SlowDown(int64_t ms) { slow_until_ = world_->now() + ms; }
  // No quorum for a while.
  void GoAway(int64_t ms) { away_until_ = world_->now() + ms; }
  void Heal();
  // Somebody empties the registry, and whoever leads next finds none; later it is put back as it
  // was. REQUIRES: no candidate is up.
  void Wipe();
  void Restore();
  bool wiped() const { return home_ != nullptr; }
  Host host() const { return host_; }

 private:
  // Shows what is written to the judges, if it is of the cluster that they watch.
  class Log final : public Store {
   public:
    Log(const Observers* observers, bool watched) : observers_(observers), watched_(watched) {}
    absl::StatusOr<std::vector<std::pair<std::string, std::string>>> ReadAll() override {
      return store_.ReadAll();
    }
    absl::StatusOr<std::optional<std::string>> Read(const std::string& key) override {
      return store_.Read(key);
    }
    absl::Status Write(const std::vector<Mutation>& batch) override;
    absl::Status Commit(uint64_t epoch, const std::vector<Mutation>& batch);
    uint64_t epoch() const { return epoch_; }

   private:
    const Observers* const observers_;
    const bool watched_;
    MemoryStore store_;
    uint64_t epoch_ = 0;
  };

  struct Pending {
    uint64_t epoch = 0;
    std::vector<Mutation> batch;
    std::function<void(absl::Status)> answered;
  };

  bool Away() const { return world_->now() < away_until_; }
  bool Reached(const Candidate& candidate) const;
  void Watch();
  void Expire();
  void TellLost(Candidate* former, uint64_t session);
  void Elect();
  void Serve(Candidate* writer);

  World* const world_;
  Network* const network_;
  const Observers* const observers_;
  const Host host_;
  std::unique_ptr<Log> store_;
  std::unique_ptr<Log> home_;  // Kept while another one is in its place.
  int64_t session_ms_;
  std::vector<Candidate*> candidates_;
  uint64_t last_session_ = 0;
  Candidate* leader_ = nullptr;
  uint64_t leading_session_ = 0;
  Candidate* former_ = nullptr;  // Has lost the lead and may not know it yet.
  Time last_seen_;               // The leader.
  std::map<Candidate*, std::deque<Pending>> writes_;
  std::map<Candidate*, bool> serving_;
  bool fail_next_ = false;
  uint64_t failed_session_ = 0;
  bool silence_next_ = false;
  Time slow_until_;
  Time away_until_;
};

}  // namespace proffer::sim
