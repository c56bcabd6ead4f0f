// What carries calls and events between a driver and a master; the driver knows no more of gRPC.
#pragma once

#include <cstdint>
#include <functional>

#include "sdk/core/events.h"

namespace proffer::sdk {

class Transport {
 public:
  // Reports StreamUp, StreamDown and EventReceived.
  using Report = std::function<void(Event)>;

  virtual ~Transport() = default;
  // Once, before anything else. `report` may be called on any thread, until the destructor has
  // returned.
  virtual void Begin(Report report) = 0;
  // This and the others below come from one thread. Finds a master and opens a stream of that
  // number: StreamUp and later StreamDown, or StreamDown alone. The master must have greeted within
  // `greeting_ms`. Does not block.
  virtual void Open(uint64_t stream, int64_t greeting_ms) = 0;
  // False: the stream is over, or takes no more.
  virtual bool Send(uint64_t stream, const model::SchedulerCall& call) = 0;
  // Ends the stream; what was sent just before may be lost. What it still reports is ignored.
  virtual void Close(uint64_t stream) = 0;
};

}  // namespace proffer::sdk
