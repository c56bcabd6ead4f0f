// One call of GetUsage: the agent's chunks, put together.
#pragma once

#include <memory>
#include <string>

#include "common/base/mutex.h"
#include "grpcpp/support/server_callback.h"
#include "master/data_hub.h"
#include "proffer/v1/data.pb.h"

namespace proffer::master {

class UsageReader final : public grpc::ServerUnaryReactor {
 public:
  // `response` is filled when the agent has answered. The reactor deletes itself.
  static UsageReader* Begin(DataHub* hub, const std::string& agent_id, v1::AgentUsage* response);
  // A reader that only says what is wrong.
  static UsageReader* Refuse(const grpc::Status& status);
  // The agent cannot be reached.
  static void Fail(const std::shared_ptr<UsageReader>& reader, const grpc::Status& status);
  std::shared_ptr<UsageReader> self() { return self_; }

  void OnCancel() override;
  void OnDone() override;

 private:
  UsageReader(DataHub* hub, v1::AgentUsage* response) : hub_(hub), response_(response) {}
  void Took(const v1::DataChunk& chunk);
  void End(const grpc::Status& status);

  DataHub* const hub_;
  v1::AgentUsage* const response_;
  std::shared_ptr<UsageReader> self_;
  Mutex mutex_;
  uint64_t transfer_ GUARDED_BY_MUTEX(mutex_) = 0;
  std::string report_ GUARDED_BY_MUTEX(mutex_);
  bool ended_ GUARDED_BY_MUTEX(mutex_) = false;
};

}  // namespace proffer::master
