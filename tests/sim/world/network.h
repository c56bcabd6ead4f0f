// The simulated network: hosts, the links between them that can be cut in either direction, and
// streams with real bytes on them.
//
// A stream behaves as one of TCP with a message framing on top: in order each way, nothing twice,
// nothing left out as long as it lasts. While a link is cut what was sent waits in it, and arrives
// when the link heals; so does the news that the other side has closed. A stream that is reset
// loses what is on its way, and each side hears of that in its own time. A half-open stream is one
// whose one end is gone without the other ever being told.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/world/world.h"

namespace proffer::sim {

using Host = int;
class Network;

class Wire : public std::enable_shared_from_this<Wire> {
 public:
  enum End { kClient = 0, kServer = 1 };
  struct Side {
    std::function<void(const std::string&)> on_bytes;
    std::function<void()> on_closed;
  };

  Wire(World* world, Network* network, uint64_t number, Host client, Host server)
      : world_(world), network_(network), number_(number), hosts_{client, server} {}

  uint64_t number() const { return number_; }
  Host host(End end) const { return hosts_[end]; }
  // The epoch of the master that accepted it; told by that master, for judges.
  uint64_t epoch = 0;
  // That master leads another cluster: the epoch is not of ours.
  bool foreign = false;

  void Attach(End end, Side side) { sides_[end] = std::move(side); }
  void Send(End from, std::string bytes);
  // Closed in order behind what was sent; the other side hears of it.
  void Close(End from);
  // Reset: what is on its way is lost.
  void Reset();
  // From now on nothing that is sent arrives, and neither side is told.
  void GoHalfOpen();
  // The process at that end is no more: it must not be called again, and the other side finds out.
  void Die(End end);
  bool broken() const { return broken_; }

 private:
  friend class Network;
  struct Item {
    bool close = false;
    std::string bytes;
  };
  static End Other(End end) { return end == kClient ? kServer : kClient; }
  void Put(End to, Item item);
  void Arrive(End to);
  void TellClosed(End to);
  // The link has healed: what waits goes on.
  void Flush();

  World* const world_;
  Network* const network_;
  const uint64_t number_;
  const Host hosts_[2];
  Side sides_[2];
  bool told_closed_[2] = {false, false};
  bool gone_[2] = {false, false};
  std::deque<Item> coming_[2];  // Towards that end.
  Time last_arrival_[2];
  bool broken_ = false;
  bool half_open_ = false;
};

class Network {
 public:
  explicit Network(World* world) : world_(world) {}

  Host Add(std::string name);
  const std::string& name(Host host) const { return names_[static_cast<size_t>(host)]; }

  // A stream that stands; both hosts reach each other at this moment.
  std::shared_ptr<Wire> Connect(Host client, Host server);
  // Calls `knock` at the server after a moment; `refused` at the client when the link is cut for
  // too long.
  void Dial(Host client, Host server, std::function<void()> knock, std::function<void()> refused);

  bool Reaches(Host from, Host to) const { return cut_.count({from, to}) == 0; }
  void Cut(Host from, Host to) { cut_.insert({from, to}); }
  void Heal(Host from, Host to);
  void HealAll();

  // One of the streams that live now; null when there is none.
  std::shared_ptr<Wire> Any();
  size_t streams();

 private:
  void Sweep();

  World* const world_;
  std::vector<std::string> names_;
  std::set<std::pair<Host, Host>> cut_;
  std::vector<std::weak_ptr<Wire>> wires_;
  uint64_t last_wire_ = 0;
};

}  // namespace proffer::sim
