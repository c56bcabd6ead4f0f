// The data connections of agents, and the transfers that run over them. Flow control is per
// transfer: a reader that stalls holds up itself only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/auth/authorize.h"
#include "common/base/mutex.h"
#include "common/rpc/server_stream.h"
#include "proffer/v1/data.grpc.pb.h"

namespace proffer::master {

// Why a transfer cannot be begun.
inline constexpr char kTooManyTransfers[] =
    "as many logs and figures of agents are being read as there may be at once; end some, or try "
    "again later";

// THREAD: any.
class DataHub final : public v1::AgentDataService::CallbackService {
 public:
  // Called on gRPC's threads, one at a time a transfer; `end` or an error comes last and once.
  using OnChunk = std::function<void(const v1::DataChunk&)>;

  DataHub(uint64_t epoch, auth::Principal principal, int64_t patience_ms);

  grpc::ServerBidiReactor<v1::DataUp, v1::DataDown>* Transfer(
      grpc::CallbackServerContext* context) override;

  // Begins a transfer from that agent; it waits until the agent's data connection is there.
  // `request` is a read_log or read_usage; it needs no transfer id and no credit. Returns 0, and
  // never calls back, when there are too many.
  uint64_t Read(const std::string& agent_id, v1::DataDown request, OnChunk on_chunk);
  // The reader has taken that many bytes.
  void GiveCredit(uint64_t transfer, int64_t bytes);
  // The reader is gone, or there will be no connection: no more callbacks after this returns.
  void Cancel(uint64_t transfer);
  bool IsConnected(const std::string& agent_id) const;

 private:
  using Stream = rpc::ServerStream<v1::DataUp, v1::DataDown>;
  struct Reading {
    std::string agent_id;
    v1::DataDown request;
    OnChunk on_chunk;
    bool sent = false;
  };

  void Said(const std::shared_ptr<std::string>& agent_id, const std::weak_ptr<Stream>& stream,
            const v1::DataUp& message);
  void Closed(const std::string& agent_id, const Stream* stream);

  const uint64_t epoch_;
  const auth::Principal principal_;
  const int64_t patience_ms_;
  mutable Mutex mutex_;
  std::map<std::string, Stream::Pointer> connections_ GUARDED_BY_MUTEX(mutex_);
  std::map<uint64_t, std::shared_ptr<Reading>> readings_ GUARDED_BY_MUTEX(mutex_);
  uint64_t last_ GUARDED_BY_MUTEX(mutex_) = 0;
};

}  // namespace proffer::master
