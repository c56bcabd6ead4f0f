// Who is next: the fairest of some clients, by descent of the role tree.
//
// Built anew for each pass from the clients that could get something in it, which are mostly few.
// Shares only grow during a pass, and only those of the client just served with the roles above
// it: all of them are the first of their heaps, so sinking the first entry keeps the order.
#pragma once

#include <cstdint>
#include <vector>

#include "allocator/books.h"

namespace proffer::allocator {

class Contest {
 public:
  explicit Contest(const Books& books) : books_(books) {}

  void Start(const BitRow& members);
  // The fairest, or not valid when nobody is left.
  ClientIndex Fairest();
  // The fairest was given something: its share and those of its roles have grown.
  void Served();
  // The fairest gets nothing more in this pass.
  void Drop();

 private:
  // One child in the heap of its role: a role, or a client, or the own clients of the role.
  struct Entry {
    int64_t share;
    uint32_t rank;
    uint32_t id;

    bool operator<(const Entry& other) const {
      return share != other.share ? share < other.share : rank < other.rank;
    }
  };
  // A heap in entries_[begin, begin + size), smallest first.
  struct Heap {
    uint32_t begin = 0;
    uint32_t size = 0;
  };
  struct Place {
    Heap children;  // Roles; kOwn stands for the own clients.
    Heap own;       // Clients.
    bool seen = false;
  };
  static constexpr uint32_t kOwn = UINT32_MAX;

  void Heapify(Heap heap);
  void Sink(Heap heap, uint32_t from);
  void Pop(Heap* heap);
  Entry OwnEntry(RoleIndex role) const;
  Entry RoleEntry(RoleIndex role) const;
  Entry ClientEntry(ClientIndex client) const;

  const Books& books_;
  std::vector<Place> places_;    // By role.
  std::vector<RoleIndex> seen_;  // Roles that take part, parents before children or after.
  std::vector<Entry> entries_;
  std::vector<RoleIndex> path_;  // From the root to the role of the fairest.
};

}  // namespace proffer::allocator
