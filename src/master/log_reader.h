// One reader of ReadLogs: chunks come from the agent by the data hub and leave at the reader's
// pace; credit goes back as they leave.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "common/base/mutex.h"
#include "common/rpc/ticker.h"
#include "common/rpc/write_progress.h"
#include "grpcpp/support/server_callback.h"
#include "master/data_hub.h"
#include "proffer/v1/operator.pb.h"

namespace proffer::master {

// What the hub's callbacks may still hold when gRPC has let go of the reactor.
class LogReader final : public grpc::ServerWriteReactor<v1::LogChunk> {
 public:
  // One that takes nothing for `patience_ms` (at most twice that) is cut off.
  static LogReader* Begin(DataHub* hub, grpc::CallbackServerContext* context,
                          const std::string& agent_id, v1::ReadLog request, int64_t patience_ms);
  // A reader that only says what is wrong.
  static LogReader* Refuse(const grpc::Status& status);

  // The agent cannot be reached.
  static void Fail(const std::shared_ptr<LogReader>& reader, const grpc::Status& status);
  std::shared_ptr<LogReader> self() { return self_; }

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  LogReader(DataHub* hub, grpc::CallbackServerContext* context) : hub_(hub), context_(context) {}
  // False: there is nothing to look after any more.
  bool Look();
  void Took(const v1::DataChunk& chunk);
  void WriteNext() REQUIRES_MUTEX(mutex_);

  DataHub* const hub_;
  grpc::CallbackServerContext* const context_;
  std::shared_ptr<LogReader> self_;
  Mutex mutex_;
  uint64_t transfer_ GUARDED_BY_MUTEX(mutex_) = 0;
  std::deque<v1::LogChunk> queue_ GUARDED_BY_MUTEX(mutex_);  // Bounded by the credit given.
  bool writing_ GUARDED_BY_MUTEX(mutex_) = false;
  bool ending_ GUARDED_BY_MUTEX(mutex_) = false;
  bool finished_ GUARDED_BY_MUTEX(mutex_) = false;
  grpc::Status status_ GUARDED_BY_MUTEX(mutex_);
  bool done_ GUARDED_BY_MUTEX(mutex_) = false;  // And gRPC's side of it gone.
  rpc::WriteProgress progress_ GUARDED_BY_MUTEX(mutex_);
  rpc::Ticker ticker_;
};

}  // namespace proffer::master
