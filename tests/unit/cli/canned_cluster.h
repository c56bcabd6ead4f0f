// A cluster that always is the same, served over a real socket: what the commands print of it can
// be written down.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/base/mutex.h"
#include "common/rpc/server.h"
#include "proffer/v1/operator.grpc.pb.h"

namespace proffer::cli {

inline constexpr int64_t kCannedNowMs = 1'800'000'000'000;

class CannedCluster final : public v1::OperatorService::Service {
 public:
  CannedCluster();
  ~CannedCluster() override;

  const std::string& address() const { return address_; }
  // What was ordered since the last call, one order each.
  std::vector<std::string> TakeOrders();
  // Every call is answered by this from now on.
  void FailWith(const grpc::Status& status);

  grpc::Status GetCluster(grpc::ServerContext*, const v1::GetClusterRequest*,
                          v1::Cluster* response) override;
  grpc::Status List(grpc::ServerContext*, const v1::ListRequest* request,
                    v1::ListResponse* response) override;
  grpc::Status Watch(grpc::ServerContext*, const v1::WatchRequest* request,
                     grpc::ServerWriter<v1::WatchEvent>* writer) override;
  grpc::Status Explain(grpc::ServerContext*, const v1::ExplainRequest* request,
                       v1::ExplainResponse* response) override;
  grpc::Status ReadLogs(grpc::ServerContext*, const v1::ReadLogsRequest* request,
                        grpc::ServerWriter<v1::LogChunk>* writer) override;
  grpc::Status KillTask(grpc::ServerContext*, const v1::KillTaskRequest* request,
                        v1::KillTaskResponse*) override;
  grpc::Status TeardownFramework(grpc::ServerContext*, const v1::TeardownFrameworkRequest* request,
                                 v1::TeardownFrameworkResponse*) override;
  grpc::Status SetRoleWeight(grpc::ServerContext*, const v1::SetRoleWeightRequest* request,
                             v1::SetRoleWeightResponse*) override;
  grpc::Status MarkAgentGone(grpc::ServerContext*, const v1::MarkAgentGoneRequest* request,
                             v1::MarkAgentGoneResponse*) override;

 private:
  grpc::Status Order(const std::string& order);

  std::string directory_;
  std::string address_;
  std::unique_ptr<rpc::Server> server_;
  Mutex mutex_;
  std::vector<std::string> orders_ GUARDED_BY_MUTEX(mutex_);
  grpc::Status failure_ GUARDED_BY_MUTEX(mutex_);
};

}  // namespace proffer::cli
