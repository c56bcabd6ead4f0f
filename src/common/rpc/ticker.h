// Calls back every so often, on a thread of gRPC's, for as long as it is there.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace proffer::rpc {

// THREAD: any.
class Ticker {
 public:
  Ticker() = default;
  // A call that is under way may go on; `look` holds nothing but weak pointers.
  ~Ticker();
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

  // Once. Until `look` returns false.
  void Start(int64_t period_ms, std::function<bool()> look);

 private:
  struct Inside;
  std::shared_ptr<Inside> inside_;
};

}  // namespace proffer::rpc
