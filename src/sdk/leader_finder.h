// Which of the masters to try next.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace proffer::sdk {

// Keeps to one that works, and goes round the list as long as none does.
template <typename Address>
class LeaderFinder {
 public:
  // REQUIRES: at least one address.
  explicit LeaderFinder(std::vector<Address> addresses) : addresses_(std::move(addresses)) {}

  const Address& current() const { return addresses_[current_]; }
  void Failed() { current_ = (current_ + 1) % addresses_.size(); }

 private:
  const std::vector<Address> addresses_;
  size_t current_ = 0;
};

}  // namespace proffer::sdk
