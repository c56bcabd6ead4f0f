#include "master/standby.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "common/rpc/leader_hint.h"

namespace proffer::master {
namespace {

class Answer final : public grpc::ServerGenericBidiReactor {
 public:
  explicit Answer(grpc::Status status) { Finish(std::move(status)); }
  void OnDone() override { delete this; }
};

}  // namespace

absl::StatusOr<std::unique_ptr<Standby>> Standby::Start(rpc::Listeners listeners,
                                                        const rpc::ServerLimits& limits) {
  std::unique_ptr<Standby> standby(new Standby());
  ASSIGN_OR_RETURN(standby->server_,
                   rpc::Server::Start(std::move(listeners), {}, limits, &standby->answers_));
  standby->server_->SetServing(false);
  return standby;
}

Standby::~Standby() { Release(); }

rpc::Listeners Standby::Release() {
  return server_ == nullptr ? rpc::Listeners() : server_->Release(/*grace_ms=*/0);
}

void Standby::SetLeader(std::vector<rpc::Address> leader) { answers_.SetLeader(std::move(leader)); }

void Standby::Answers::SetLeader(std::vector<rpc::Address> leader) {
  MutexLock lock(&mutex_);
  leader_ = std::move(leader);
}

grpc::ServerGenericBidiReactor* Standby::Answers::CreateReactor(
    grpc::GenericCallbackServerContext* context) {
  std::string leader;
  {
    MutexLock lock(&mutex_);
    leader = rpc::PrintAddresses(leader_);
  }
  if (leader.empty()) {
    return new Answer(grpc::Status(grpc::StatusCode::UNAVAILABLE,
                                   "this master does not lead, and knows of none that does; try "
                                   "again, or another master"));
  }
  context->AddTrailingMetadata(rpc::kLeaderMetadata, leader);
  return new Answer(grpc::Status(
      grpc::StatusCode::UNAVAILABLE,
      absl::StrCat("this master does not lead; the leader is to be found at ", leader)));
}

}  // namespace proffer::master
