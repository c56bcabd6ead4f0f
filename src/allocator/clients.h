// Frameworks, and their clients: a framework in one of its roles.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "allocator/agents.h"
#include "allocator/allocator.h"
#include "allocator/bit_row.h"
#include "allocator/constraint_classes.h"

namespace proffer::allocator {

// One shape that a client wants some times; or, without declared demand, anything.
struct Want {
  static constexpr int64_t kNoEnd = std::numeric_limits<int64_t>::max();
  static constexpr int kUndeclared = -1;

  int demand = kUndeclared;  // Index into the framework's demands.
  int64_t unmet = kNoEnd;
  Amounts shape;  // Zero if undeclared.
  ConstraintClass klass;
  bool fresh = true;  // Not looked at since it came up: every open agent is worth a look.

  // How far the pass of this number has looked (see fill.cc).
  uint64_t pass = 0;
  uint32_t at = 0;
  uint64_t tried = 0;
  uint32_t misfits = 0;

  bool undeclared() const { return demand == kUndeclared; }
};

struct Client {
  FrameworkIndex framework;  // Not valid: the slot is unused.
  RoleIndex role;
  bool listed = false;  // False: the framework dropped the role, but still holds something in it.
  bool suppressed = false;
  bool hungry = false;
  int32_t doublings = 0;  // Of the bound of grants without demand.
  int64_t share = 0;
  Amounts held;
  std::vector<Want> wants;
  Time passed_over_since = Time::Never();  // See "Crumbs" in allocator.h.
  BitRow again;  // Agents worth another look by this client: a refusal ended.
};

struct Framework {
  bool known = false;
  bool active = false;
  bool declared = false;
  int outstanding = 0;  // Grants.
  std::vector<Demand> demands;
  std::vector<ClientIndex> clients;  // In the order in which they were listed.
};

class Clients {
 public:
  Framework& framework(FrameworkIndex framework);
  const Framework& framework(FrameworkIndex framework) const;
  bool Knows(FrameworkIndex framework) const;
  void AddFramework(FrameworkIndex framework);
  void RemoveFramework(FrameworkIndex framework);  // REQUIRES: no clients.

  Client& operator[](ClientIndex client) { return clients_[client.value]; }
  const Client& operator[](ClientIndex client) const { return clients_[client.value]; }
  bool Exists(ClientIndex client) const;
  size_t size() const { return clients_.size(); }
  // Not valid if the framework has no such client.
  ClientIndex Find(FrameworkIndex framework, RoleIndex role) const;
  ClientIndex Add(FrameworkIndex framework, RoleIndex role);
  void Erase(ClientIndex client);

  // The hungry ones.
  const BitRow& hungry() const { return hungry_; }
  void SetHungry(ClientIndex client, bool hungry);

 private:
  std::vector<Framework> frameworks_;
  std::vector<Client> clients_;
  std::vector<uint32_t> unused_;
  BitRow hungry_;
};

}  // namespace proffer::allocator
