// A master process in the simulated world: the real core, the real registry codec, the real
// conversion; only threads, sockets and the disk are not real.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "common/base/outbox.h"
#include "master/core/core.h"
#include "sim/disk.h"
#include "sim/world.h"

namespace proffer::sim {

class MasterNode {
 public:
  explicit MasterNode(World* world);

  void Start();
  void Crash();
  bool up() const { return core_ != nullptr; }
  // Stands still; mail piles up meanwhile.
  void Pause(int64_t ms);

  // New connections. Null while the process is down: the dial fails.
  std::shared_ptr<Wire> DialAgent();
  std::shared_ptr<Wire> DialScheduler();
  // Cuts one of the connections.
  void BreakOne();

  const master::Core* core() const { return core_.get(); }
  int64_t turns() const { return turns_; }

 private:
  using Item = std::variant<master::ToAgent, master::ToScheduler>;
  struct Open {
    std::shared_ptr<Wire> wire;
    bool is_agent = false;
  };

  std::shared_ptr<Wire> Accept(bool is_agent);
  void Receive(master::StreamId stream, bool is_agent, const std::string& bytes);
  void Post(master::Event event);
  void ScheduleTurn(Time when);
  void Turn();
  void CarryOut(master::Effects& effects);
  void SendReady();

  World* const world_;
  Disk disk_;
  uint64_t life_ = 0;
  std::unique_ptr<master::Core> core_;
  Outbox<uint64_t, Item> outbox_;
  std::map<master::StreamId, Open> open_;
  master::StreamId last_stream_ = 0;
  std::vector<master::Event> mail_;
  Time turn_at_ = Time::Never();
  Time paused_until_;
  int64_t turns_ = 0;
};

}  // namespace proffer::sim
