// The two services whose streams feed the core: they authorise, convert, and put into the
// mailbox. Nothing is decided here.
#pragma once

#include "common/auth/authorize.h"
#include "master/mail.h"
#include "master/streams.h"
#include "proffer/v1/agent.grpc.pb.h"
#include "proffer/v1/scheduler.grpc.pb.h"

namespace proffer::master {

class SchedulerService final : public v1::SchedulerService::CallbackService {
 public:
  // `patience_ms`: with peers that are silent or do not read.
  SchedulerService(MasterMailbox* mailbox, Streams* streams, auth::Principal principal,
                   int64_t patience_ms);
  grpc::ServerBidiReactor<v1::SchedulerCall, v1::SchedulerEvent>* Connect(
      grpc::CallbackServerContext* context) override;

 private:
  void Called(StreamId id, const v1::SchedulerCall& call);

  MasterMailbox* const mailbox_;
  Streams* const streams_;
  const auth::Principal principal_;
  const int64_t patience_ms_;
};

class AgentService final : public v1::AgentService::CallbackService {
 public:
  AgentService(MasterMailbox* mailbox, Streams* streams, auth::Principal principal,
               int64_t patience_ms);
  grpc::ServerBidiReactor<v1::AgentMessage, v1::AgentOrder>* Connect(
      grpc::CallbackServerContext* context) override;

 private:
  void Said(StreamId id, const v1::AgentMessage& message);

  MasterMailbox* const mailbox_;
  Streams* const streams_;
  const auth::Principal principal_;
  const int64_t patience_ms_;
};

}  // namespace proffer::master
