#include "master/stream_services.h"

#include <utility>

#include "common/base/clock.h"
#include "common/convert/agent.h"
#include "common/convert/scheduler.h"
#include "common/rpc/grpc_status.h"

namespace proffer::master {
namespace {

// Puts an event into the core's mailbox; a full mailbox ends the stream, because a stream must not
// lose one message and go on.
template <typename Stream>
void Post(MasterMailbox* mailbox, const Stream& stream, size_t bytes, Event event) {
  Mail mail{std::move(event), [weak = std::weak_ptr(stream), bytes] {
              if (auto stream = weak.lock()) stream->Taken(bytes);
            }};
  if (!mailbox->Push(std::move(mail))) {
    stream->Close(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                               "the master has too much to do; reconnect later"));
  }
}

}  // namespace

SchedulerService::SchedulerService(MasterMailbox* mailbox, Streams* streams,
                                   auth::Principal principal, int64_t patience_ms)
    : mailbox_(mailbox),
      streams_(streams),
      principal_(std::move(principal)),
      patience_ms_(patience_ms) {}

grpc::ServerBidiReactor<v1::SchedulerCall, v1::SchedulerEvent>* SchedulerService::Connect(
    grpc::CallbackServerContext* context) {
  const StreamId id = streams_->NextId();
  SchedulerStream::Pointer stream = SchedulerStream::Make(
      context, [this, id](const v1::SchedulerCall& call) { Called(id, call); },
      [this, id] {
        streams_->Remove(id);
        mailbox_->PushUrgent({SchedulerStreamClosed{id}, nullptr});
      },
      patience_ms_);
  streams_->Add(id, stream);
  stream->Begin();
  return stream.get();
}

void SchedulerService::Called(StreamId id, const v1::SchedulerCall& call) {
  const SchedulerStream::Pointer stream = streams_->Scheduler(id);
  if (stream == nullptr) return;
  if (absl::Status allowed = auth::AuthorizeArm(principal_, call); !allowed.ok()) {
    stream->Close(rpc::ToGrpc(allowed));
    return;
  }
  absl::StatusOr<model::SchedulerCall> converted = convert::FromProto(call);
  if (!converted.ok()) {
    Post(mailbox_, stream, call.ByteSizeLong(),
         SchedulerSaidNonsense{id, call.call_id(), std::string(converted.status().message())});
    return;
  }
  Post(mailbox_, stream, call.ByteSizeLong(),
       SchedulerSaid{id, principal_.name, *std::move(converted)});
}

AgentService::AgentService(MasterMailbox* mailbox, Streams* streams, auth::Principal principal,
                           int64_t patience_ms)
    : mailbox_(mailbox),
      streams_(streams),
      principal_(std::move(principal)),
      patience_ms_(patience_ms) {}

grpc::ServerBidiReactor<v1::AgentMessage, v1::AgentOrder>* AgentService::Connect(
    grpc::CallbackServerContext* context) {
  const StreamId id = streams_->NextId();
  AgentStream::Pointer stream = AgentStream::Make(
      context, [this, id](const v1::AgentMessage& message) { Said(id, message); },
      [this, id] {
        streams_->Remove(id);
        mailbox_->PushUrgent({AgentStreamClosed{id}, nullptr});
      },
      patience_ms_);
  streams_->Add(id, stream);
  stream->Begin();
  return stream.get();
}

void AgentService::Said(StreamId id, const v1::AgentMessage& message) {
  const AgentStream::Pointer stream = streams_->Agent(id);
  if (stream == nullptr) return;
  if (absl::Status allowed = auth::AuthorizeArm(principal_, message); !allowed.ok()) {
    stream->Close(rpc::ToGrpc(allowed));
    return;
  }
  absl::StatusOr<model::AgentMessage> converted = convert::FromProto(message);
  if (!converted.ok()) {
    // An agent is ours and must not talk nonsense; it is told why, and may come back.
    v1::AgentOrder order;
    order.mutable_error()->set_refusal(v1::INVALID);
    order.mutable_error()->set_message(std::string(converted.status().message()));
    stream->Send(std::move(order), /*last=*/true);
    return;
  }
  Post(mailbox_, stream, message.ByteSizeLong(),
       AgentSaid{id, BootTimeNow(), *std::move(converted)});
}

}  // namespace proffer::master
