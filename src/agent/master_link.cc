#include "agent/master_link.h"

#include <glog/logging.h>

#include <utility>

#include "common/base/clock.h"
#include "common/convert/agent.h"
#include "common/rpc/channel.h"

namespace proffer::agent {

MasterLink::MasterLink(std::vector<rpc::Address> masters, AgentMailbox* mailbox)
    : masters_(std::move(masters)), mailbox_(mailbox) {}

MasterLink::~MasterLink() {
  MutexLock lock(&mutex_);
  if (stream_ != nullptr) stream_->Cancel();
  while (open_ > 0) closed_.Wait(&mutex_);
}

void MasterLink::Connect() {
  MutexLock lock(&mutex_);
  const rpc::Address& master = masters_[next_++ % masters_.size()];
  const uint64_t link = ++last_link_;
  // Word of it first, so that no order can come before.
  mailbox_->PushUrgent(Event(LinkUp{link}));
  stub_ = v1::AgentService::NewStub(rpc::MakeChannel(master));
  ++open_;
  link_ = link;
  // Called before Open returns; a lambda cannot say that it runs under our lock.
  auto* async = stub_->async();
  stream_ = Stream::Open(
      [async](grpc::ClientContext* context, Stream* reactor) { async->Connect(context, reactor); },
      [this, link](const v1::AgentOrder& order) {
        absl::StatusOr<model::AgentOrder> converted = convert::FromProto(order);
        if (!converted.ok()) {
          LOG(ERROR) << "the master sent what cannot be understood: " << converted.status();
          return;
        }
        mailbox_->PushUrgent(Event(OrderReceived{link, BootTimeNow(), *std::move(converted)}));
      },
      [this, link](const grpc::Status& status) {
        mailbox_->PushUrgent(Event(LinkDown{link, status.error_message()}));
        MutexLock lock(&mutex_);
        --open_;
        closed_.SignalAll();
      });
}

void MasterLink::Drop(uint64_t link) {
  MutexLock lock(&mutex_);
  if (link_ != link || stream_ == nullptr) return;
  stream_->Cancel();
  stream_.reset();
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
  return masters_[(next_ + masters_.size() - 1) % masters_.size()];
}

}  // namespace proffer::agent
