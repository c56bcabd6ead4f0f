#include "cli/client.h"

#include <map>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/context_file.h"
#include "common/base/status.h"
#include "common/leader/leader_finder.h"
#include "common/rpc/channel.h"
#include "common/rpc/deadline.h"
#include "common/rpc/grpc_status.h"
#include "common/rpc/leader_hint.h"

namespace proffer::cli {
namespace {

constexpr int64_t kUsageMs = 1'000;
constexpr int64_t kAnswerMs = 10'000;
constexpr int64_t kProbeMs = 2'000;
constexpr int kPageSize = 1'000;
constexpr int kMostTries = 6;  // Three masters, and what they say of each other.

void SetDeadline(grpc::ClientContext* context, int64_t ms) {
  context->set_deadline(rpc::DeadlineIn(ms));
}

}  // namespace

absl::StatusOr<std::string> FindMaster(const Context& context, const Globals& globals) {
  if (!globals.master.empty()) return globals.master;
  const std::string named = context.environment("PROFFER_MASTER");
  if (!named.empty()) return named;
  const std::string path = ContextFilePath(context);
  ASSIGN_OR_RETURN(const std::string remembered, RememberedMaster(path));
  if (!remembered.empty()) return remembered;
  return absl::UnavailableError(absl::StrCat(
      "no master is known: neither --master nor PROFFER_MASTER nor ",
      path.empty() ? "a context file" : path, " names one; start a cluster with `proffer dev`"));
}

absl::StatusOr<std::unique_ptr<Client>> Client::Connect(const Context& context,
                                                        const Globals& globals) {
  ASSIGN_OR_RETURN(const std::string addresses, FindMaster(context, globals));
  return ConnectTo(addresses);
}

absl::StatusOr<std::unique_ptr<Client>> Client::ConnectTo(const std::string& addresses) {
  absl::StatusOr<std::unique_ptr<LeaderFinder>> leader = LeaderFinder::Make(addresses);
  if (!leader.ok()) return Annotate(leader.status(), "the master's address");
  for (int tries = 0; tries < kMostTries; ++tries) {
    const std::optional<rpc::Address> address = (*leader)->Await(kProbeMs);
    if (!address) break;
    std::unique_ptr<Client> client(new Client(address->target));
    grpc::ClientContext call;
    SetDeadline(&call, kProbeMs);
    v1::Cluster unused;
    if (client->stub_->GetCluster(&call, v1::GetClusterRequest(), &unused).ok()) return client;
    (*leader)->Redirected(*address, rpc::LeaderHint(call));
    // Where there is no other, the call itself will tell what is wrong.
    if ((*leader)->Current() == address) return client;
  }
  return absl::UnavailableError(absl::StrCat("no master that leads answers at any of ", addresses,
                                             "; are they running, and is the address right?"));
}

Client::Client(std::string address)
    : address_(std::move(address)),
      channel_(rpc::MakeChannel(rpc::Address{address_, absl::StartsWith(address_, "unix:")})),
      stub_(v1::OperatorService::NewStub(channel_)) {}

absl::Status Client::Explained(const grpc::Status& status) const {
  if (status.ok()) return absl::OkStatus();
  // An answer of the master's own comes over a connection that stands.
  const bool connected = channel_->GetState(false) == GRPC_CHANNEL_READY;
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE && !connected) {
    return absl::UnavailableError(absl::StrCat(
        "no master answers at ", address_, "; start one with `proffer dev`, or name another by ",
        "--master or PROFFER_MASTER"));
  }
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    return absl::DeadlineExceededError(absl::StrCat("the master at ", address_,
                                                    " took the call but did not answer within ",
                                                    kAnswerMs / 1000, " s; its log may say why"));
  }
  return rpc::FromGrpc(status);
}

absl::StatusOr<v1::Cluster> Client::GetCluster() {
  grpc::ClientContext call;
  SetDeadline(&call, kAnswerMs);
  v1::Cluster cluster;
  RETURN_IF_ERROR(Explained(stub_->GetCluster(&call, v1::GetClusterRequest(), &cluster)));
  return cluster;
}

absl::StatusOr<std::vector<v1::Object>> Client::List(v1::Kind kind, bool live_only,
                                                     const std::string& framework_id) {
  std::vector<v1::Object> objects;
  v1::ListRequest request;
  request.set_kind(kind);
  request.set_page_size(kPageSize);
  request.set_live_only(live_only);
  request.set_framework_id(framework_id);
  do {
    grpc::ClientContext call;
    SetDeadline(&call, kAnswerMs);
    v1::ListResponse page;
    RETURN_IF_ERROR(Explained(stub_->List(&call, request, &page)));
    for (v1::Object& object : *page.mutable_objects()) objects.push_back(std::move(object));
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return objects;
}

absl::StatusOr<v1::ExplainResponse> Client::Explain(const std::string& subject) {
  grpc::ClientContext call;
  SetDeadline(&call, kAnswerMs);
  v1::ExplainRequest request;
  request.set_subject(subject);
  v1::ExplainResponse response;
  RETURN_IF_ERROR(Explained(stub_->Explain(&call, request, &response)));
  return response;
}

void Client::AddUsage(std::vector<v1::Object>* tasks) {
  constexpr size_t kMostAgents = 64;
  std::map<std::string, std::vector<v1::TaskView*>> by_agent;
  for (v1::Object& object : *tasks) {
    v1::TaskView* task = object.mutable_task();
    if (task->state() == v1::RUNNING || task->state() == v1::KILLING) {
      by_agent[task->agent_id()].push_back(task);
    }
  }
  size_t asked = 0;
  for (auto& [agent_id, views] : by_agent) {
    if (++asked > kMostAgents) return;
    grpc::ClientContext call;
    SetDeadline(&call, kUsageMs);
    v1::GetUsageRequest request;
    request.set_agent_id(agent_id);
    v1::AgentUsage usage;
    if (!stub_->GetUsage(&call, request, &usage).ok()) continue;
    for (const v1::TaskUsage& one : usage.tasks()) {
      for (v1::TaskView* task : views) {
        if (task->task_id() == one.task_id() && task->framework_id() == one.framework_id()) {
          *task->mutable_usage() = one;
        }
      }
    }
  }
}

absl::Status Client::KillTask(const v1::KillTaskRequest& request) {
  grpc::ClientContext call;
  SetDeadline(&call, kAnswerMs);
  v1::KillTaskResponse response;
  return Explained(stub_->KillTask(&call, request, &response));
}

absl::Status Client::Teardown(const std::string& framework_id) {
  grpc::ClientContext call;
  SetDeadline(&call, kAnswerMs);
  v1::TeardownFrameworkRequest request;
  request.set_framework_id(framework_id);
  v1::TeardownFrameworkResponse response;
  return Explained(stub_->TeardownFramework(&call, request, &response));
}

absl::Status Client::SetRoleWeight(const std::string& role, int64_t thousandths) {
  grpc::ClientContext call;
  SetDeadline(&call, kAnswerMs);
  v1::SetRoleWeightRequest request;
  request.set_role(role);
  request.set_weight_thousandths(thousandths);
  v1::SetRoleWeightResponse response;
  return Explained(stub_->SetRoleWeight(&call, request, &response));
}

absl::Status Client::MarkAgentGone(const std::string& agent_id) {
  grpc::ClientContext call;
  SetDeadline(&call, kAnswerMs);
  v1::MarkAgentGoneRequest request;
  request.set_agent_id(agent_id);
  v1::MarkAgentGoneResponse response;
  return Explained(stub_->MarkAgentGone(&call, request, &response));
}

}  // namespace proffer::cli
