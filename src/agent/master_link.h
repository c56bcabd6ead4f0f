// The control stream to the master that leads; the core says when to connect.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/core/effects.h"
#include "agent/mail.h"
#include "common/base/mutex.h"
#include "common/leader/leader_finder.h"
#include "common/rpc/client_stream.h"
#include "proffer/v1/agent.grpc.pb.h"

namespace proffer::agent {

// THREAD: any.
class MasterLink {
 public:
  // `leader` outlives it.
  MasterLink(LeaderFinder* leader, AgentMailbox* mailbox);
  ~MasterLink();

  // A new connection, which must be greeted within `greeting_ms`. The former one must be dropped.
  void Connect(int64_t greeting_ms);
  void Drop(uint64_t link);
  void Send(uint64_t link, const model::AgentMessage& message);
  // Where the present connection goes to.
  rpc::Address master() const;

 private:
  using Stream = rpc::ClientStream<v1::AgentMessage, v1::AgentOrder>;

  void Found(const std::vector<rpc::Address>& leader);
  void Heard(uint64_t link, const v1::AgentOrder& order);
  void Ended(uint64_t link, const grpc::Status& status, std::vector<rpc::Address> leader);

  LeaderFinder* const leader_;
  AgentMailbox* const mailbox_;
  mutable Mutex mutex_;
  CondVar closed_;
  uint64_t last_link_ GUARDED_BY_MUTEX(mutex_) = 0;
  int open_ GUARDED_BY_MUTEX(mutex_) = 0;  // Streams that gRPC has not let go of.
  uint64_t link_ GUARDED_BY_MUTEX(mutex_) = 0;
  rpc::Address master_ GUARDED_BY_MUTEX(mutex_);  // At the other end of `link_`.
  std::unique_ptr<v1::AgentService::Stub> stub_ GUARDED_BY_MUTEX(mutex_);
  Stream::Pointer stream_ GUARDED_BY_MUTEX(mutex_);
};

}  // namespace proffer::agent
