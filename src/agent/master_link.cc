#include "agent/master_link.h"

#include <glog/logging.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "common/base/clock.h"
#include "common/convert/agent.h"
#include "common/rpc/channel.h"

namespace proffer::agent {

MasterLink::MasterLink(LeaderFinder* leader, AgentMailbox* mailbox)
    : leader_(leader), mailbox_(mailbox) {
  leader_->OnFound([this](const std::vector<rpc::Address>& addresses) { Found(addresses); });
}

MasterLink::~MasterLink() {
  leader_->OnFound(nullptr);
  MutexLock lock(&mutex_);
  if (stream_ != nullptr) stream_->Cancel();
  while (open_ > 0) closed_.Wait(&mutex_);
}

void MasterLink::Connect(int64_t greeting_ms) {
  const std::optional<rpc::Address> master = leader_->Current();
  if (!master) {
    mailbox_->PushUrgent(Event(LinkDown{0, "no master is known to lead"}));
    return;
  }
  MutexLock lock(&mutex_);
  const uint64_t link = ++last_link_;
  // Word of it first, so that no order can come before.
  mailbox_->PushUrgent(Event(LinkUp{link}));
  stub_ = v1::AgentService::NewStub(rpc::MakeChannel(*master, greeting_ms));
  ++open_;
  link_ = link;
  master_ = *master;
  // Called before Open returns; a lambda cannot say that it runs under our lock.
  auto* async = stub_->async();
  stream_ = Stream::Open(
      [async](grpc::ClientContext* context, Stream* reactor) { async->Connect(context, reactor); },
      [this, link](const v1::AgentOrder& order) { Heard(link, order); },
      [this, link](const grpc::Status& status, std::vector<rpc::Address> leader) {
        Ended(link, status, std::move(leader));
      });
}

void MasterLink::Found(const std::vector<rpc::Address>& leader) {
  MutexLock lock(&mutex_);
  // One that led before may be frozen, or not know yet that it leads no more.
  const bool elsewhere = std::find(leader.begin(), leader.end(), master_) == leader.end();
  if (stream_ != nullptr && elsewhere) stream_->Cancel();
  mailbox_->PushUrgent(Event(LeaderFound()));
}

void MasterLink::Heard(uint64_t link, const v1::AgentOrder& order) {
  const Time received = BootTimeNow();
  absl::StatusOr<model::AgentOrder> converted = convert::FromProto(order);
  if (!converted.ok()) {
    LOG(ERROR) << "the master sent what cannot be understood: " << converted.status();
    return;
  }
  mailbox_->PushUrgent(Event(OrderReceived{link, received, *std::move(converted)}));
}

void MasterLink::Ended(uint64_t link, const grpc::Status& status,
                       std::vector<rpc::Address> leader) {
  mailbox_->PushUrgent(Event(LinkDown{link, status.error_message()}));
  // Who knows where to go need not wait for long.
  if (!leader.empty()) mailbox_->PushUrgent(Event(LeaderFound()));
  MutexLock lock(&mutex_);
  if (link == link_ && stream_ != nullptr) {
    // With nobody named, one that went away is not the first to be tried again.
    leader_->Redirected(master_, std::move(leader));
  }
  --open_;
  closed_.SignalAll();
}

void MasterLink::Drop(uint64_t link) {
  MutexLock lock(&mutex_);
  if (link_ != link || stream_ == nullptr) return;
  stream_->Cancel();
  stream_.reset();
  leader_->Failed(master_);
}

void MasterLink::Send(uint64_t link, const model::AgentMessage& message) {
  v1::AgentMessage out;
  convert::ToProto(message, &out);
  MutexLock lock(&mutex_);
  if (link_ != link || stream_ == nullptr) return;
  if (!stream_->Send(std::move(out))) stream_->Cancel();
}

rpc::Address MasterLink::master() const {
  MutexLock lock(&mutex_);
  return master_;
}

}  // namespace proffer::agent
