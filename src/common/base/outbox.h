// Holds what a core decided to say until the records it depends on are durable:
// "decide inside, speak when durable". Pure; one thread.
//
// Items to one peer leave in the order they were added, whatever each of them waits for.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <utility>
#include <vector>

namespace proffer {

// `Peer` is an ordered key, `Item` what is sent.
template <typename Peer, typename Item>
class Outbox {
 public:
  // `after_seq` is the sequence number of the record that must be durable first; 0 for none.
  void Add(uint64_t after_seq, const Peer& peer, Item item) {
    uint64_t gate = after_seq;
    if (auto it = last_gate_.find(peer); it != last_gate_.end()) gate = std::max(gate, it->second);
    if (gate <= durable_seq_) {
      ready_.emplace_back(peer, std::move(item));
      return;
    }
    last_gate_[peer] = gate;
    waiting_[gate].emplace_back(peer, std::move(item));
  }

  // Everything up to and including `seq` is durable.
  void Durable(uint64_t seq) {
    durable_seq_ = std::max(durable_seq_, seq);
    while (!waiting_.empty() && waiting_.begin()->first <= durable_seq_) {
      for (auto& entry : waiting_.begin()->second) {
        // The last gate of a peer is that of an item of its own.
        const auto last = last_gate_.find(entry.first);
        if (last != last_gate_.end() && last->second <= durable_seq_) last_gate_.erase(last);
        ready_.push_back(std::move(entry));
      }
      waiting_.erase(waiting_.begin());
    }
  }

  // What may be said now, in order.
  std::vector<std::pair<Peer, Item>> TakeReady() { return std::exchange(ready_, {}); }

  uint64_t durable_seq() const { return durable_seq_; }
  bool empty() const { return ready_.empty() && waiting_.empty(); }

 private:
  uint64_t durable_seq_ = 0;
  std::vector<std::pair<Peer, Item>> ready_;
  std::map<uint64_t, std::vector<std::pair<Peer, Item>>> waiting_;
  std::map<Peer, uint64_t> last_gate_;  // Only peers with something waiting.
};

}  // namespace proffer
