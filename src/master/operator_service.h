// The operator API: reads from the projection, orders to the core, logs through the agents' data
// connections. Thin: parse, ask, reply.
#pragma once

#include <memory>
#include <string>

#include "common/auth/authorize.h"
#include "common/base/mutex.h"
#include "master/asking.h"
#include "master/data_hub.h"
#include "master/projection.h"
#include "proffer/v1/operator.grpc.pb.h"

namespace proffer::master {

class OperatorService final : public v1::OperatorService::CallbackService {
 public:
  // `patience_ms`: with readers of streams that do not read.
  OperatorService(Projection* projection, Asking* asking, DataHub* data, auth::Principal principal,
                  int64_t patience_ms);

  grpc::ServerUnaryReactor* GetCluster(grpc::CallbackServerContext* context,
                                       const v1::GetClusterRequest* request,
                                       v1::Cluster* response) override;
  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context,
                                 const v1::ListRequest* request,
                                 v1::ListResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchEvent>* Watch(grpc::CallbackServerContext* context,
                                                  const v1::WatchRequest* request) override;
  grpc::ServerUnaryReactor* Explain(grpc::CallbackServerContext* context,
                                    const v1::ExplainRequest* request,
                                    v1::ExplainResponse* response) override;
  grpc::ServerWriteReactor<v1::LogChunk>* ReadLogs(grpc::CallbackServerContext* context,
                                                   const v1::ReadLogsRequest* request) override;
  grpc::ServerUnaryReactor* GetUsage(grpc::CallbackServerContext* context,
                                     const v1::GetUsageRequest* request,
                                     v1::AgentUsage* response) override;
  grpc::ServerUnaryReactor* KillTask(grpc::CallbackServerContext* context,
                                     const v1::KillTaskRequest* request,
                                     v1::KillTaskResponse* response) override;
  grpc::ServerUnaryReactor* TeardownFramework(grpc::CallbackServerContext* context,
                                              const v1::TeardownFrameworkRequest* request,
                                              v1::TeardownFrameworkResponse* response) override;
  grpc::ServerUnaryReactor* SetRoleWeight(grpc::CallbackServerContext* context,
                                          const v1::SetRoleWeightRequest* request,
                                          v1::SetRoleWeightResponse* response) override;
  grpc::ServerUnaryReactor* MarkAgentGone(grpc::CallbackServerContext* context,
                                          const v1::MarkAgentGoneRequest* request,
                                          v1::MarkAgentGoneResponse* response) override;

 private:
  absl::Status Allow(const char* method, const google::protobuf::Message& request) const;
  // Asks the core and finishes the call with what it says.
  grpc::ServerUnaryReactor* Order(grpc::CallbackServerContext* context, const char* method,
                                  const google::protobuf::Message& request,
                                  decltype(OperatorAsked::what) what);
  // The copy to explain with, at most a second old.
  void WithBasis(std::function<void(std::shared_ptr<const ExplainBasis>)> then);
  absl::Status FillExplanation(const ExplainBasis& basis, const std::string& subject,
                               v1::ExplainResponse* response) const;

  Projection* const projection_;
  Asking* const asking_;
  DataHub* const data_;
  const auth::Principal principal_;
  const int64_t patience_ms_;
  Mutex mutex_;
  std::shared_ptr<const ExplainBasis> basis_ GUARDED_BY_MUTEX(mutex_);
};

}  // namespace proffer::master
