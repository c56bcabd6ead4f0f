// Streams to a master over gRPC.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "common/base/mutex.h"
#include "common/leader/leader_finder.h"
#include "common/rpc/client_stream.h"
#include "proffer/v1/scheduler.grpc.pb.h"
#include "sdk/transport.h"

namespace proffer::sdk {

class GrpcTransport final : public Transport {
 public:
  explicit GrpcTransport(std::shared_ptr<LeaderFinder> leader);
  // Cancels what is open and waits for gRPC to be done with it.
  ~GrpcTransport() override;

  void Begin(Report report) override;
  void Open(uint64_t stream, int64_t greeting_ms) override;
  bool Send(uint64_t stream, const model::SchedulerCall& call) override;
  void Close(uint64_t stream) override;

 private:
  using Stream = rpc::ClientStream<v1::SchedulerCall, v1::SchedulerEvent>;

  void Found(const std::vector<rpc::Address>& leader);
  void Heard(uint64_t number, const v1::SchedulerEvent& event);
  void Ended(uint64_t number, const grpc::Status& status, std::vector<rpc::Address> leader);

  const std::shared_ptr<LeaderFinder> leader_;
  Report report_;
  Mutex mutex_;
  CondVar none_open_;
  rpc::Address master_ GUARDED_BY_MUTEX(mutex_);  // At the other end of the stream.
  uint64_t number_ GUARDED_BY_MUTEX(mutex_) = 0;  // Of `stream_`; 0: closed.
  Stream::Pointer stream_ GUARDED_BY_MUTEX(mutex_);
  bool heard_ GUARDED_BY_MUTEX(mutex_) = false;  // Anything, on that stream.
  int open_ GUARDED_BY_MUTEX(mutex_) = 0;        // Streams gRPC is not done with.
};

}  // namespace proffer::sdk
