// Heaps of shares, one for each role that takes part.
#include "allocator/contest.h"

#include <utility>

namespace proffer::allocator {

Contest::Entry Contest::OwnEntry(RoleIndex role) const {
  return Entry{books_.roles[role].own_share, 0, kOwn};
}

Contest::Entry Contest::RoleEntry(RoleIndex role) const {
  const RoleNode& node = books_.roles[role];
  return Entry{node.share, node.rank, role.value};
}

Contest::Entry Contest::ClientEntry(ClientIndex client) const {
  const Client& c = books_.clients[client];
  return Entry{c.share, c.framework.value, client.value};
}

void Contest::Start(const BitRow& members) {
  for (RoleIndex role : seen_) places_[role.value] = Place();
  seen_.clear();
  path_.clear();
  if (places_.size() < books_.roles.size()) places_.resize(books_.roles.size());

  // Count, lay out, fill.
  uint32_t clients = 0;
  members.ForEach([&](uint32_t c) {
    ++clients;
    RoleIndex role = books_.clients[ClientIndex(c)].role;
    Place* place = &places_[role.value];
    if (place->own.size++ == 0) ++place->children.size;
    while (!place->seen) {
      place->seen = true;
      seen_.push_back(role);
      role = books_.roles[role].parent;
      if (!role.valid()) break;
      place = &places_[role.value];
      ++place->children.size;
    }
  });
  uint32_t next = 0;
  for (RoleIndex role : seen_) {
    Place& place = places_[role.value];
    place.own.begin = next;
    next += place.own.size;
    place.children.begin = next;
    next += place.children.size;
    place.children.size = place.own.size > 0 ? 1 : 0;  // As far as it is filled in below.
    place.own.size = 0;
  }
  entries_.resize(next);
  members.ForEach([&](uint32_t c) {
    const ClientIndex client(c);
    Heap& own = places_[books_.clients[client].role.value].own;
    entries_[own.begin + own.size++] = ClientEntry(client);
  });
  for (RoleIndex role : seen_) {
    Place& place = places_[role.value];
    if (place.own.size > 0) entries_[place.children.begin] = OwnEntry(role);
    const RoleIndex parent = books_.roles[role].parent;
    if (!parent.valid()) continue;
    Heap& siblings = places_[parent.value].children;
    entries_[siblings.begin + siblings.size++] = RoleEntry(role);
  }
  for (RoleIndex role : seen_) {
    Heapify(places_[role.value].own);
    Heapify(places_[role.value].children);
  }
}

ClientIndex Contest::Fairest() {
  path_.clear();
  if (places_.empty() || places_[kUnreserved.value].children.size == 0) return ClientIndex();
  for (RoleIndex role = kUnreserved;;) {
    path_.push_back(role);
    const Place& place = places_[role.value];
    const uint32_t child = entries_[place.children.begin].id;
    if (child == kOwn) return ClientIndex(entries_[place.own.begin].id);
    role = RoleIndex(child);
  }
}

void Contest::Served() {
  const RoleIndex last = path_.back();
  Place& place = places_[last.value];
  Entry& client = entries_[place.own.begin];
  client = ClientEntry(ClientIndex(client.id));
  Sink(place.own, 0);
  entries_[place.children.begin] = OwnEntry(last);
  Sink(place.children, 0);
  for (size_t i = path_.size(); i-- > 1;) {
    const Heap& siblings = places_[path_[i - 1].value].children;
    entries_[siblings.begin] = RoleEntry(path_[i]);
    Sink(siblings, 0);
  }
}

void Contest::Drop() {
  Place& last = places_[path_.back().value];
  Pop(&last.own);
  if (last.own.size > 0) return;
  for (size_t i = path_.size(); i-- > 0;) {
    Heap& children = places_[path_[i].value].children;
    Pop(&children);
    if (children.size > 0) return;
  }
}

void Contest::Pop(Heap* heap) {
  --heap->size;
  if (heap->size == 0) return;
  entries_[heap->begin] = entries_[heap->begin + heap->size];
  Sink(*heap, 0);
}

void Contest::Heapify(Heap heap) {
  for (uint32_t i = heap.size / 2; i-- > 0;) Sink(heap, i);
}

void Contest::Sink(Heap heap, uint32_t from) {
  Entry* const entries = entries_.data() + heap.begin;
  const Entry sinking = entries[from];
  for (uint32_t child = 2 * from + 1; child < heap.size; child = 2 * from + 1) {
    if (child + 1 < heap.size && entries[child + 1] < entries[child]) ++child;
    if (!(entries[child] < sinking)) break;
    entries[from] = entries[child];
    from = child;
  }
  entries[from] = sinking;
}

}  // namespace proffer::allocator
