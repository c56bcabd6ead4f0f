// The connection to the master: where it is, and calls whose errors say what to do.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/context.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "proffer/v1/operator.grpc.pb.h"

namespace proffer::cli {

// Where the master is: the option, else $PROFFER_MASTER, else the context file that `proffer dev`
// writes. UNAVAILABLE when nothing says.
absl::StatusOr<std::string> FindMaster(const Context& context, const Globals& globals);

class Client {
 public:
  // The first that leads, of those that the addresses name and lead to. Waits for no single one.
  static absl::StatusOr<std::unique_ptr<Client>> Connect(const Context& context,
                                                         const Globals& globals);
  static absl::StatusOr<std::unique_ptr<Client>> ConnectTo(const std::string& addresses);

  absl::StatusOr<v1::Cluster> GetCluster();
  // All pages.
  absl::StatusOr<std::vector<v1::Object>> List(v1::Kind kind, bool live_only = false,
                                               const std::string& framework_id = "");
  absl::StatusOr<v1::ExplainResponse> Explain(const std::string& subject);
  // Fills in what those of the tasks use that run in containers of connected agents; of the first
  // 64 agents, and as far as they answer.
  void AddUsage(std::vector<v1::Object>* tasks);
  absl::Status KillTask(const v1::KillTaskRequest& request);
  absl::Status Teardown(const std::string& framework_id);
  absl::Status SetRoleWeight(const std::string& role, int64_t thousandths);
  absl::Status MarkAgentGone(const std::string& agent_id);

  // For streams; their end goes through Explained.
  v1::OperatorService::Stub& stub() { return *stub_; }
  // gRPC's status as one for people.
  absl::Status Explained(const grpc::Status& status) const;
  const std::string& address() const { return address_; }

 private:
  explicit Client(std::string address);

  const std::string address_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::OperatorService::Stub> stub_;
};

}  // namespace proffer::cli
