// A master process in the simulated world: the real core, the real registry codec, the real
// conversion; only threads, sockets and ZooKeeper are not real.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "common/base/outbox.h"
#include "master/core/core.h"
#include "sim/world/ensemble.h"

namespace proffer::sim {

class MasterNode final : public Candidate {
 public:
  struct Options {
    int64_t unreachable_ms = 15'000;
    int64_t offer_timeout_ms = 120'000;
    int64_t unreachable_per_minute = 100;
    int64_t valve_min_agents = 4;
    int most_offers = master::Config().max_outstanding_offers;  // A framework.
    bool check_invariants = true;  // After every turn: takes as long as the cluster is large.
  };
  MasterNode(World* world, Network* network, Ensemble* ensemble, const Observers* observers,
             std::string name, const Options& options);

  void Lead() override;
  void SessionLost() override;
  bool leads() const { return core_ != nullptr; }
  // It leads a cluster of its own: it found an empty registry in the place of ours.
  bool foreign() const { return foreign_; }
  uint64_t epoch() const { return epoch_; }
  const master::Core* core() const { return core_.get(); }

  // A stream to this master; null when it does not lead.
  std::shared_ptr<Wire> Accept(Host client, bool is_agent);
  // What an operator asks for; not answered here.
  void Ask(master::OperatorAsked asked);

 private:
  using Item = std::variant<master::ToAgent, master::ToScheduler>;
  struct Open {
    std::shared_ptr<Wire> wire;
    bool is_agent = false;
  };

  void OnStart() override;
  void OnCrash() override;
  void OnPause(int64_t ms) override { Show(&Observer::MasterPaused, name(), ms); }
  // Judges watch our cluster.
  template <typename... Parameters, typename... Arguments>
  void Show(void (Observer::*what)(Parameters...), const Arguments&... arguments) const {
    if (!foreign_) observers_->Show(what, arguments...);
  }
  void Lost(master::StreamId stream, bool is_agent);
  void Receive(master::StreamId stream, bool is_agent, const std::string& bytes);
  void Post(master::Event event);
  void ScheduleTurn(Time when);
  void Turn();
  void CarryOut(master::Effects& effects);
  void SendReady();
  void Send(const Open& open, const Item& item);

  Ensemble* const ensemble_;
  const Observers* const observers_;
  const Options options_;
  std::unique_ptr<master::Core> core_;
  uint64_t epoch_ = 0;
  bool foreign_ = false;
  Outbox<uint64_t, Item> outbox_;
  std::map<master::StreamId, Open> open_;
  std::vector<master::Event> mail_;
  bool turn_asked_ = false;
  uint64_t alarm_ = 0;
  Time alarm_at_ = Time::Never();
};

}  // namespace proffer::sim
