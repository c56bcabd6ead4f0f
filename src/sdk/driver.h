// Runs a framework's core: a thread that decides, one that calls the user back, one that writes to
// the state store, around a transport. Free of gRPC, so that ThreadSanitizer can judge it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <variant>
#include <vector>

#include "common/base/mailbox.h"
#include "common/base/mutex.h"
#include "proffer/state_store.h"
#include "sdk/core/framework_core.h"
#include "sdk/transport.h"

namespace proffer::sdk {

// THREAD: the driver's callback thread.
class Receiver {
 public:
  virtual ~Receiver() = default;
  // Updates are reported as handled when this returns; repetitions are not passed on.
  virtual void Take(const Delivery& delivery) = 0;
  // The update of a TaskDone is reported as handled when this returns.
  virtual void Take(const Notice& notice) = 0;
  virtual void Take(const Stop& stop) = 0;  // Last.
};

class Driver {
 public:
  // Loads the saved state into `config` unless the framework is ephemeral; its error if that fails.
  // `receiver` outlives the driver.
  static absl::StatusOr<std::unique_ptr<Driver>> Make(Config config,
                                                      std::optional<TaskQueue::Options> queue,
                                                      std::shared_ptr<StateStore> store,
                                                      std::unique_ptr<Transport> transport,
                                                      Receiver* receiver);
  // Begins; callbacks may come from now on. Once.
  void Begin();
  // Leaves if it has not stopped, and joins its threads. Not from a callback.
  ~Driver();

  // Any thread. Without effect once stopped.
  void Post(Input input);
  // The next number of a request, counting up from 1.
  uint64_t NextRequest() { return ++last_request_; }
  // Until the receiver was told of the stop.
  Stop Wait();
  // False if it has not stopped by then.
  bool WaitFor(int64_t timeout_ms);

 private:
  // What goes to the callback thread.
  using Callback = std::variant<Delivery, Notice, Stop>;

  Driver(Config config, std::optional<TaskQueue::Options> queue, std::shared_ptr<StateStore> store,
         std::unique_ptr<Transport> transport, Receiver* receiver);

  void Decide();
  void CallBack();
  void WriteDown();
  void CarryOut(Output output);

  FrameworkCore core_;  // Of the deciding thread.
  const std::shared_ptr<StateStore> store_;
  const std::unique_ptr<Transport> transport_;
  Receiver* const receiver_;

  Mailbox<Input> inputs_;
  Mailbox<Callback> callbacks_;
  Mailbox<Save> saves_;
  std::atomic<uint64_t> last_request_{0};

  // Of the deciding thread.
  Time connect_at_ = Time::Never();
  int64_t greeting_ms_ = 0;
  uint64_t stream_ = 0;
  bool stopping_ = false;

  Mutex mutex_;
  CondVar stopped_changed_;
  std::optional<Stop> stopped_ GUARDED_BY_MUTEX(mutex_);

  std::thread decider_;
  std::thread caller_;
  std::thread writer_;
};

}  // namespace proffer::sdk
