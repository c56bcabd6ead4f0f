// How much of something somebody may do: so much at once, and again so much a second.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/base/time.h"

namespace proffer::rpc {

class Allowance {
 public:
  struct Rate {
    int64_t at_once = 0;
    int64_t per_second = 0;
  };

  Allowance(Rate rate, Time now)
      : rate_(rate), left_(static_cast<double>(rate.at_once)), as_of_(now) {}

  // False: there is nothing left.
  bool Take(Time now) {
    if (!Has(now)) return false;
    --left_;
    return true;
  }
  bool Has(Time now) {
    Refill(now);
    return left_ >= 1;
  }
  // For a misdeed: so much less, and if need be out of what the future brings, but of that not more
  // than there is at once.
  void Withdraw(int64_t amount, Time now) {
    Refill(now);
    left_ = std::max(left_ - static_cast<double>(amount), -static_cast<double>(rate_.at_once));
  }
  // As if nothing had been taken.
  bool IsWhole(Time now) const { return After(now) >= static_cast<double>(rate_.at_once); }

 private:
  double After(Time now) const {
    return left_ + static_cast<double>((now - as_of_) * rate_.per_second) / 1'000;
  }
  void Refill(Time now) {
    left_ = std::min(After(now), static_cast<double>(rate_.at_once));
    as_of_ = now;
  }

  Rate rate_;
  double left_;
  Time as_of_;
};

}  // namespace proffer::rpc
