// The control stream to the master. Tries the known masters in turn; the core says when.
#pragma once

#include <memory>
#include <vector>

#include "agent/core/effects.h"
#include "agent/mail.h"
#include "common/base/mutex.h"
#include "common/rpc/address.h"
#include "common/rpc/client_stream.h"
#include "proffer/v1/agent.grpc.pb.h"

namespace proffer::agent {

// THREAD: any.
class MasterLink {
 public:
  MasterLink(std::vector<rpc::Address> masters, AgentMailbox* mailbox);
  ~MasterLink();

  // A new connection, to the next master of the list. The former one must be dropped.
  void Connect();
  void Drop(uint64_t link);
  void Send(uint64_t link, const model::AgentMessage& message);
  // Where the present connection goes to.
  rpc::Address master() const;

 private:
  using Stream = rpc::ClientStream<v1::AgentMessage, v1::AgentOrder>;

  const std::vector<rpc::Address> masters_;
  AgentMailbox* const mailbox_;
  mutable Mutex mutex_;
  CondVar closed_;
  size_t next_ GUARDED_BY_MUTEX(mutex_) = 0;
  uint64_t last_link_ GUARDED_BY_MUTEX(mutex_) = 0;
  int open_ GUARDED_BY_MUTEX(mutex_) = 0;  // Streams that gRPC has not let go of.
  uint64_t link_ GUARDED_BY_MUTEX(mutex_) = 0;
  std::unique_ptr<v1::AgentService::Stub> stub_ GUARDED_BY_MUTEX(mutex_);
  Stream::Pointer stream_ GUARDED_BY_MUTEX(mutex_);
};

}  // namespace proffer::agent
