// A master for tests of schedulers: the real services on a real unix socket, and a script instead
// of a cluster. The test takes calls as they come and says what it wants.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/base/mutex.h"
#include "common/model/scheduler_protocol.h"
#include "common/rpc/server.h"
#include "common/rpc/server_stream.h"
#include "proffer/v1/operator.grpc.pb.h"
#include "proffer/v1/scheduler.grpc.pb.h"

namespace proffer::testing {

class FakeMaster {
 public:
  // Serves from the moment it returns, in a directory of its own.
  FakeMaster();
  ~FakeMaster();

  std::string address() const { return "unix:" + directory_ + "/m"; }

  // The next call of that kind, on the newest stream. It and those before it are answered: with
  // ok, `subscribe` with a welcome, `teardown` with the end. Fails the test after 30 s.
  template <typename Call>
  std::optional<Call> Expect(uint64_t* call_id = nullptr) {
    while (std::optional<model::SchedulerCall> call = Next()) {
      const auto* found = std::get_if<Call>(&call->call);
      Answer(*call);
      if (found == nullptr) continue;
      if (call_id != nullptr) *call_id = call->call_id;
      return *found;
    }
    return std::nullopt;
  }

  // To the newest stream.
  void Tell(const model::SchedulerEvent& event);
  void Break(const grpc::Status& status);
  // From now on a subscription is answered by this error.
  void RefuseSubscriptions(model::Refusal refusal, const std::string& message);
  // What ReadLogs gives for the standard output of that task.
  void SetOutput(const std::string& task_id, const std::string& text);

 private:
  using Stream = rpc::ServerStream<v1::SchedulerCall, v1::SchedulerEvent>;

  struct Scheduling final : v1::SchedulerService::CallbackService {
    explicit Scheduling(FakeMaster* master) : master(master) {}
    grpc::ServerBidiReactor<v1::SchedulerCall, v1::SchedulerEvent>* Connect(
        grpc::CallbackServerContext* context) override;
    FakeMaster* const master;
  };
  struct Operating final : v1::OperatorService::Service {
    explicit Operating(FakeMaster* master) : master(master) {}
    grpc::Status ReadLogs(grpc::ServerContext* context, const v1::ReadLogsRequest* request,
                          grpc::ServerWriter<v1::LogChunk>* writer) override;
    FakeMaster* const master;
  };

  std::optional<model::SchedulerCall> Next();
  void Answer(const model::SchedulerCall& call);

  std::string directory_;
  Scheduling scheduling_{this};
  Operating operating_{this};
  Mutex mutex_;
  CondVar changed_;
  Stream::Pointer stream_ GUARDED_BY_MUTEX(mutex_);
  uint64_t streams_ GUARDED_BY_MUTEX(mutex_) = 0;
  std::deque<std::pair<uint64_t, model::SchedulerCall>> calls_ GUARDED_BY_MUTEX(mutex_);
  std::optional<model::StreamError> refusal_ GUARDED_BY_MUTEX(mutex_);
  std::map<std::string, std::string> outputs_ GUARDED_BY_MUTEX(mutex_);
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace proffer::testing
