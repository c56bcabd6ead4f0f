#include "master/operator_service.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/rpc/grpc_status.h"
#include "master/explain.h"
#include "master/log_reader.h"
#include "master/usage_reader.h"
#include "master/view_proto.h"
#include "master/watch.h"

namespace proffer::master {
namespace {

constexpr int64_t kBasisAgeMs = 1'000;

absl::Status FromOutcome(const model::Outcome& outcome) {
  switch (outcome.refusal) {
    case model::Refusal::kNone:
      return absl::OkStatus();
    case model::Refusal::kUnknownTask:
    case model::Refusal::kUnknownFramework:
      return absl::NotFoundError(outcome.message);
    case model::Refusal::kAgentUnavailable:
      return absl::UnavailableError(outcome.message);
    case model::Refusal::kTooMany:
      return absl::ResourceExhaustedError(outcome.message);
    default:
      return absl::InvalidArgumentError(outcome.message);
  }
}

grpc::ServerUnaryReactor* Finished(grpc::CallbackServerContext* context,
                                   const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(rpc::ToGrpc(status));
  return reactor;
}

absl::Status Ambiguous(const std::string& subject, const std::vector<ObjectPointer>& matches) {
  std::string names;
  for (size_t i = 0; i < matches.size() && i < 5; ++i) {
    absl::StrAppend(&names, i == 0 ? "" : ", ", IdOf(*matches[i]));
  }
  return absl::FailedPreconditionError(
      absl::StrCat("\"", subject, "\" may mean ", matches.size(), " things: ", names,
                   matches.size() > 5 ? ", ..." : "", "; say more of the name or the id"));
}

}  // namespace

OperatorService::OperatorService(Projection* projection, Asking* asking, DataHub* data,
                                 auth::Principal principal, int64_t patience_ms)
    : projection_(projection),
      asking_(asking),
      data_(data),
      principal_(std::move(principal)),
      patience_ms_(patience_ms) {}

absl::Status OperatorService::Allow(const char* method,
                                    const google::protobuf::Message& request) const {
  static const google::protobuf::ServiceDescriptor* const kService =
      v1::Object::descriptor()->file()->FindServiceByName("OperatorService");
  return auth::Authorize(principal_, *kService->FindMethodByName(method), request);
}

grpc::ServerUnaryReactor* OperatorService::GetCluster(grpc::CallbackServerContext* context,
                                                      const v1::GetClusterRequest* request,
                                                      v1::Cluster* response) {
  absl::Status status = Allow("GetCluster", *request);
  if (status.ok()) *response = projection_->GetCluster();
  return Finished(context, status);
}

grpc::ServerUnaryReactor* OperatorService::List(grpc::CallbackServerContext* context,
                                                const v1::ListRequest* request,
                                                v1::ListResponse* response) {
  absl::Status status = Allow("List", *request);
  if (!status.ok()) return Finished(context, status);
  absl::StatusOr<v1::ListResponse> list = projection_->List(*request);
  if (list.ok()) *response = *std::move(list);
  return Finished(context, list.status());
}

grpc::ServerWriteReactor<v1::WatchEvent>* OperatorService::Watch(
    grpc::CallbackServerContext* context, const v1::WatchRequest* request) {
  if (absl::Status status = Allow("Watch", *request); !status.ok()) {
    class Refused final : public grpc::ServerWriteReactor<v1::WatchEvent> {
     public:
      explicit Refused(const grpc::Status& status) { Finish(status); }
      void OnDone() override { delete this; }
    };
    return new Refused(rpc::ToGrpc(status));
  }
  return Watcher::Begin(projection_, context, *request, patience_ms_);
}

void OperatorService::WithBasis(std::function<void(std::shared_ptr<const ExplainBasis>)> then) {
  std::shared_ptr<const ExplainBasis> basis;
  {
    MutexLock lock(&mutex_);
    if (basis_ != nullptr && BootTimeNow() - basis_->now < kBasisAgeMs) basis = basis_;
  }
  if (basis != nullptr) {
    then(std::move(basis));
    return;
  }
  asking_->AskBasis([this, then = std::move(then)](std::shared_ptr<const ExplainBasis> fresh) {
    if (fresh != nullptr) {
      MutexLock lock(&mutex_);
      basis_ = fresh;
    }
    then(std::move(fresh));
  });
}

absl::Status OperatorService::FillExplanation(const ExplainBasis& basis, const std::string& subject,
                                              v1::ExplainResponse* response) const {
  const std::vector<ObjectPointer> tasks = projection_->Match(v1::TASKS, subject);
  const std::vector<ObjectPointer> frameworks = projection_->Match(v1::FRAMEWORKS, subject);
  if (tasks.size() + frameworks.size() > 1 && frameworks.size() != 1) {
    return Ambiguous(subject, tasks.empty() ? frameworks : tasks);
  }
  if (frameworks.size() == 1) {
    ExplainFramework(basis, frameworks[0]->framework(), response);
    return absl::OkStatus();
  }
  if (tasks.empty()) {
    return absl::NotFoundError(absl::StrCat("no framework or task is called \"", subject,
                                            "\"; `proffer ls frameworks` and `proffer ls tasks` "
                                            "list them"));
  }
  const v1::TaskView& task = tasks[0]->task();
  *response->mutable_task() = task;
  response->set_framework_id(task.framework_id());
  response->set_framework_name(task.framework_name());
  const ObjectPointer framework = projection_->Find(v1::FRAMEWORKS, task.framework_id());
  if (framework != nullptr) ExplainFramework(basis, framework->framework(), response);
  response->set_summary(
      absl::StrCat("task ", task.task_id(), " is ", v1::TaskState_Name(task.state()),
                   task.hostname().empty() ? "" : absl::StrCat(" on ", task.hostname()),
                   task.message().empty() ? "" : absl::StrCat(": ", task.message())));
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* OperatorService::Explain(grpc::CallbackServerContext* context,
                                                   const v1::ExplainRequest* request,
                                                   v1::ExplainResponse* response) {
  if (absl::Status status = Allow("Explain", *request); !status.ok()) {
    return Finished(context, status);
  }
  if (request->subject().empty()) {
    return Finished(context, absl::InvalidArgumentError("name a framework or task"));
  }
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  WithBasis([this, reactor, request, response](std::shared_ptr<const ExplainBasis> basis) {
    if (basis == nullptr) {
      reactor->Finish(
          rpc::ToGrpc(absl::ResourceExhaustedError("the master has too much to do; try again")));
      return;
    }
    reactor->Finish(rpc::ToGrpc(FillExplanation(*basis, request->subject(), response)));
  });
  return reactor;
}

grpc::ServerWriteReactor<v1::LogChunk>* OperatorService::ReadLogs(
    grpc::CallbackServerContext* context, const v1::ReadLogsRequest* request) {
  if (absl::Status status = Allow("ReadLogs", *request); !status.ok()) {
    return LogReader::Refuse(rpc::ToGrpc(status));
  }
  const ObjectPointer task = projection_->FindTask(request->framework_id(), request->task_id());
  if (task == nullptr) {
    return LogReader::Refuse(rpc::ToGrpc(absl::NotFoundError(
        absl::StrCat("no task ", request->task_id(), " of framework ", request->framework_id(),
                     " is known; its history may have been dropped"))));
  }
  v1::ReadLog read;
  read.set_framework_id(request->framework_id());
  read.set_task_id(request->task_id());
  read.set_stream(request->stream());
  read.set_offset(request->offset());
  read.set_follow(request->follow());
  const std::string agent_id = task->task().agent_id();
  LogReader* reader = LogReader::Begin(data_, context, agent_id, std::move(read), patience_ms_);
  if (!data_->IsConnected(agent_id)) {
    asking_->Ask(DataAsked{model::AgentId(agent_id)},
                 [self = reader->self()](const model::Outcome& outcome) {
                   if (!outcome.ok()) {
                     LogReader::Fail(self, rpc::ToGrpc(FromOutcome(outcome)));
                   }
                 });
  }
  return reader;
}

grpc::ServerUnaryReactor* OperatorService::GetUsage(grpc::CallbackServerContext*,
                                                    const v1::GetUsageRequest* request,
                                                    v1::AgentUsage* response) {
  if (absl::Status status = Allow("GetUsage", *request); !status.ok()) {
    return UsageReader::Refuse(rpc::ToGrpc(status));
  }
  UsageReader* reader = UsageReader::Begin(data_, request->agent_id(), response);
  if (!data_->IsConnected(request->agent_id())) {
    asking_->Ask(DataAsked{model::AgentId(request->agent_id())},
                 [self = reader->self()](const model::Outcome& outcome) {
                   if (!outcome.ok()) {
                     UsageReader::Fail(self, rpc::ToGrpc(FromOutcome(outcome)));
                   }
                 });
  }
  return reader;
}

grpc::ServerUnaryReactor* OperatorService::Order(grpc::CallbackServerContext* context,
                                                 const char* method,
                                                 const google::protobuf::Message& request,
                                                 decltype(OperatorAsked::what) what) {
  if (absl::Status status = Allow(method, request); !status.ok()) return Finished(context, status);
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  asking_->Ask(std::move(what), [reactor](const model::Outcome& outcome) {
    reactor->Finish(rpc::ToGrpc(FromOutcome(outcome)));
  });
  return reactor;
}

grpc::ServerUnaryReactor* OperatorService::KillTask(grpc::CallbackServerContext* context,
                                                    const v1::KillTaskRequest* request,
                                                    v1::KillTaskResponse*) {
  KillTaskAsked asked;
  asked.key = {model::FrameworkId(request->framework_id()), model::TaskId(request->task_id())};
  if (request->has_grace_ms()) asked.grace_ms = request->grace_ms();
  return Order(context, "KillTask", *request, std::move(asked));
}

grpc::ServerUnaryReactor* OperatorService::TeardownFramework(
    grpc::CallbackServerContext* context, const v1::TeardownFrameworkRequest* request,
    v1::TeardownFrameworkResponse*) {
  return Order(context, "TeardownFramework", *request,
               TeardownAsked{model::FrameworkId(request->framework_id())});
}

grpc::ServerUnaryReactor* OperatorService::SetRoleWeight(grpc::CallbackServerContext* context,
                                                         const v1::SetRoleWeightRequest* request,
                                                         v1::SetRoleWeightResponse*) {
  return Order(context, "SetRoleWeight", *request,
               WeightAsked{request->role(), request->weight_thousandths()});
}

grpc::ServerUnaryReactor* OperatorService::MarkAgentGone(grpc::CallbackServerContext* context,
                                                         const v1::MarkAgentGoneRequest* request,
                                                         v1::MarkAgentGoneResponse*) {
  if (absl::Status status = Allow("MarkAgentGone", *request); !status.ok()) {
    return Finished(context, status);
  }
  if (projection_->Find(v1::AGENTS, request->agent_id()) == nullptr) {
    return Finished(context,
                    absl::NotFoundError(absl::StrCat("no agent ", request->agent_id(),
                                                     " is known; `proffer ls agents` lists them")));
  }
  return Order(context, "MarkAgentGone", *request,
               MarkGoneAsked{model::AgentId(request->agent_id())});
}

}  // namespace proffer::master
