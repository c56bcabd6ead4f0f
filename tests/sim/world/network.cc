#include "sim/world/network.h"

#include <algorithm>

namespace proffer::sim {
namespace {

constexpr int64_t kDialTimeoutMs = 2'000;

}  // namespace

void Wire::Send(End from, std::string bytes) {
  if (broken_ || half_open_) return;
  Put(Other(from), {false, std::move(bytes)});
}

void Wire::Put(End to, Item item) {
  coming_[to].push_back(std::move(item));
  const Time arrival = std::max(world_->now() + world_->Latency(), last_arrival_[to]);
  last_arrival_[to] = arrival;
  world_->At(arrival, [self = shared_from_this(), to] { self->Arrive(to); });
}

void Wire::Arrive(End to) {
  // Each item has one such call; while the link is cut the calls come to nothing and the items
  // wait.
  if (coming_[to].empty() || !network_->Reaches(hosts_[Other(to)], hosts_[to])) return;
  const Item item = std::move(coming_[to].front());
  coming_[to].pop_front();
  if (item.close) {
    broken_ = true;
    TellClosed(to);
    return;
  }
  if (broken_ || half_open_ || gone_[to] || told_closed_[to]) return;
  if (sides_[to].on_bytes) sides_[to].on_bytes(item.bytes);
}

void Wire::Flush() {
  for (const End to : {kClient, kServer}) {
    if (!network_->Reaches(hosts_[Other(to)], hosts_[to])) continue;
    for (size_t i = 0; i < coming_[to].size(); ++i) {
      const Time arrival = std::max(world_->now() + world_->Latency(), last_arrival_[to]);
      last_arrival_[to] = arrival;
      world_->At(arrival, [self = shared_from_this(), to] { self->Arrive(to); });
    }
  }
}

void Wire::Close(End from) {
  told_closed_[from] = true;
  if (broken_ || half_open_) return;
  Put(Other(from), {true, ""});
}

void Wire::Reset() {
  if (broken_) return;
  broken_ = true;
  for (const End end : {kClient, kServer}) {
    coming_[end].clear();
    // One side may notice much later than the other.
    world_->After(
        world_->prng().Chance(1, 4) ? world_->prng().Between(100, 10'000) : world_->Latency(),
        [self = shared_from_this(), end] { self->TellClosed(end); });
  }
}

void Wire::GoHalfOpen() {
  half_open_ = true;
  for (auto& coming : coming_) coming.clear();
}

void Wire::Die(End end) {
  told_closed_[end] = true;
  gone_[end] = true;
  sides_[end] = Side();
  coming_[end].clear();
  if (broken_ || half_open_) return;
  // What it had said still arrives, or is lost with its machine's buffers.
  if (world_->prng().Chance(1, 2)) {
    coming_[Other(end)].clear();
  }
  Put(Other(end), {true, ""});
}

void Wire::TellClosed(End to) {
  if (std::exchange(told_closed_[to], true)) return;
  const std::function<void()> closed = std::move(sides_[to].on_closed);
  sides_[to] = Side();
  if (closed) closed();
}

Host Network::Add(std::string name) {
  names_.push_back(std::move(name));
  return static_cast<Host>(names_.size()) - 1;
}

std::shared_ptr<Wire> Network::Connect(Host client, Host server) {
  auto wire = std::make_shared<Wire>(world_, this, ++last_wire_, client, server);
  wires_.push_back(wire);
  if (wires_.size() % 256 == 0) Sweep();
  return wire;
}

void Network::Dial(Host client, Host server, std::function<void()> knock,
                   std::function<void()> refused) {
  if (!Reaches(client, server) || !Reaches(server, client)) {
    world_->After(kDialTimeoutMs, std::move(refused));
    return;
  }
  world_->After(world_->Latency(), std::move(knock));
}

void Network::Heal(Host from, Host to) {
  if (cut_.erase({from, to}) == 0) return;
  Sweep();
  for (const auto& weak : wires_) {
    const std::shared_ptr<Wire> wire = weak.lock();
    const bool concerned = (wire->host(Wire::kClient) == from && wire->host(Wire::kServer) == to) ||
                           (wire->host(Wire::kClient) == to && wire->host(Wire::kServer) == from);
    if (concerned) wire->Flush();
  }
}

void Network::HealAll() {
  while (!cut_.empty()) {
    const auto [from, to] = *cut_.begin();
    Heal(from, to);
  }
}

void Network::Sweep() {
  std::erase_if(wires_, [](const std::weak_ptr<Wire>& weak) {
    const std::shared_ptr<Wire> wire = weak.lock();
    return wire == nullptr || wire->broken();
  });
}

std::shared_ptr<Wire> Network::Any() {
  Sweep();
  if (wires_.empty()) return nullptr;
  return wires_[world_->prng().Below(wires_.size())].lock();
}

size_t Network::streams() {
  Sweep();
  return wires_.size();
}

}  // namespace proffer::sim
