// Peers without an SDK, for tests that say what no SDK would: streams spoken message by message
// from text, and sockets that speak no gRPC at all.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "proffer/v1/agent.grpc.pb.h"
#include "proffer/v1/scheduler.grpc.pb.h"

namespace proffer::testing {

// The text form of a message; fails the test when it is none.
template <typename M>
M FromText(const std::string& text);

// A framework's stream. Acknowledges statuses, keeps count of its offers.
class RawScheduler {
 public:
  explicit RawScheduler(const std::string& address);
  ~RawScheduler();

  // Says hello as a framework of that name with the role "web", and waits to be subscribed.
  void Subscribe(const std::string& name, const std::string& id = "");
  // In the text of a call, "{OFFER}" stands for an offer that it holds; waits for one.
  uint64_t Call(std::string text);
  void Send(const v1::SchedulerCall& call) { stream_->Write(call); }

  // Reads until the answer to that call. The offer that it named is used, unless the call as a
  // whole was INVALID.
  v1::CallResult Answer(uint64_t call_id);
  // Reads until the newest status of that task is one of its end.
  v1::TaskStatus End(const std::string& task_id);
  v1::EpochId AwaitOffer();
  // Reads to the end of the stream: the last error event and the stream's status.
  v1::StreamError AwaitError();
  grpc::Status Finish();
  void TearDown();

  const std::string& id() const { return id_; }

 private:
  // False at the end of the stream.
  bool ReadOne();
  void Forget(const v1::EpochId& offer);
  void ReadUntil(const std::function<bool()>& done);

  grpc::ClientContext context_;
  std::unique_ptr<v1::SchedulerService::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::SchedulerCall, v1::SchedulerEvent>> stream_;
  uint64_t last_call_ = 0;
  bool ended_ = false;
  std::string id_;
  std::vector<v1::EpochId> offers_;
  std::map<uint64_t, v1::EpochId> used_;  // By the call that named it.
  std::vector<v1::CallResult> results_;
  std::vector<v1::TaskStatus> statuses_;
  v1::StreamError error_;
};

// An agent's control stream.
class RawAgent {
 public:
  explicit RawAgent(const std::string& address);
  ~RawAgent() { context_.TryCancel(); }

  void Say(const v1::AgentMessage& message) { stream_->Write(message); }
  // The next order of that arm; others before it are passed over.
  v1::AgentOrder Await(v1::AgentOrder::OrderCase arm);
  v1::AgentError AwaitError() { return Await(v1::AgentOrder::kError).error(); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<v1::AgentService::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::AgentMessage, v1::AgentOrder>> stream_;
};

// Sends bytes as if they were a call of SchedulerService.Connect; how the stream ended.
grpc::Status SendBytesAsCall(const std::string& address, const std::string& bytes);

// Writes bytes to the socket itself, and closes it.
void SendToSocket(const std::string& path, const std::string& bytes);

}  // namespace proffer::testing
