// Who has which of the agent's resources. free + used = total, except for what is in use beyond a
// total that has shrunk since: that much is missing from `free` until it is returned.
#pragma once

#include <cstdint>

#include "proffer/resources.h"

namespace proffer::agent {

class Ledger {
 public:
  explicit Ledger(Resources total);

  bool Fits(const Resources& wanted) const { return free_.Contains(wanted); }
  // Takes what a task uses, also when it is more than is free (a recovered task of a shrunk agent).
  // Shared resources are used without being taken.
  void Take(const Resources& taken);
  // REQUIRES: was taken.
  void Return(const Resources& returned);

  const Resources& total() const { return total_; }
  const Resources& used() const { return used_; }
  const Resources& free() const { return free_; }
  bool overcommitted() const { return overcommitted_; }

 private:
  void Recount();

  const Resources total_;
  Resources used_;
  Resources free_;
  bool overcommitted_ = false;
};

}  // namespace proffer::agent
