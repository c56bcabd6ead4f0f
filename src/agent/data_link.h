// The data connection: sends tasks' output to the master, each transfer as fast as its reader has
// given credit, and what tasks use.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <thread>

#include "agent/sandboxes.h"
#include "common/base/mutex.h"
#include "common/rpc/address.h"
#include "common/rpc/client_stream.h"
#include "proffer/v1/data.grpc.pb.h"

namespace proffer::agent {

// THREAD: any; one thread of its own reads files.
class DataLink {
 public:
  // `is_live` says whether a task may still write; `usage` reads what those that run use.
  DataLink(Sandboxes* sandboxes, std::function<bool(const model::TaskKey&)> is_live,
           std::function<v1::AgentUsage()> usage);
  ~DataLink();

  // Opens the connection if there is none.
  void Open(const rpc::Address& master, const model::AgentId& agent, uint64_t epoch);

 private:
  using Stream = rpc::ClientStream<v1::DataUp, v1::DataDown>;
  struct Transfer {
    v1::ReadLog request;
    int64_t offset = 0;  // Of the next byte; negative: from the end.
    int64_t credit = 0;
    int sandbox = -1;
  };

  void Heard(const v1::DataDown& message);
  void Run();
  // One step of a transfer; false when it is over. `moved`: something was sent.
  bool Advance(uint64_t id, Transfer& transfer, bool* moved);
  void SendUsage(uint64_t id);
  bool OpenSandbox(Transfer& transfer, std::string* error);
  void Send(uint64_t id, int64_t offset, std::string data, bool end, std::string error);

  Sandboxes* const sandboxes_;
  const std::function<bool(const model::TaskKey&)> is_live_;
  const std::function<v1::AgentUsage()> usage_;

  Mutex mutex_;
  CondVar wake_;
  std::unique_ptr<v1::AgentDataService::Stub> stub_ GUARDED_BY_MUTEX(mutex_);
  Stream::Pointer stream_ GUARDED_BY_MUTEX(mutex_);
  int open_ GUARDED_BY_MUTEX(mutex_) = 0;
  // What came from the master and was not taken in by the thread yet.
  std::vector<v1::DataDown> inbox_ GUARDED_BY_MUTEX(mutex_);
  bool lost_ GUARDED_BY_MUTEX(mutex_) = false;
  bool stopping_ GUARDED_BY_MUTEX(mutex_) = false;

  std::map<uint64_t, Transfer> transfers_;  // Of the thread.
  std::thread thread_;
};

}  // namespace proffer::agent
