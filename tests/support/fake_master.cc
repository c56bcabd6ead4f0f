#include "support/fake_master.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>

#include "common/convert/scheduler.h"
#include "glog/logging.h"
#include "gtest/gtest.h"

namespace proffer::testing {

FakeMaster::FakeMaster() {
  char name[] = "/tmp/proffer-fake-XXXXXX";
  directory_ = mkdtemp(name);
  auto masters = rpc::ParseAddresses(address());
  CHECK(masters.ok()) << masters.status();
  auto server = rpc::Server::Start(*masters, {&scheduling_, &operating_});
  CHECK(server.ok()) << server.status();
  server_ = *std::move(server);
}

FakeMaster::~FakeMaster() {
  Break(grpc::Status::OK);
  server_->Shutdown(0);
  server_.reset();
  unlink((directory_ + "/m").c_str());
  rmdir(directory_.c_str());
}

grpc::ServerBidiReactor<v1::SchedulerCall, v1::SchedulerEvent>* FakeMaster::Scheduling::Connect(
    grpc::CallbackServerContext* context) {
  FakeMaster* const fake = master;
  MutexLock lock(&fake->mutex_);
  const uint64_t number = ++fake->streams_;
  auto heard = [fake, number](const v1::SchedulerCall& message) {
    absl::StatusOr<model::SchedulerCall> call = convert::FromProto(message);
    EXPECT_TRUE(call.ok()) << call.status();
    if (!call.ok()) return;
    const bool teardown = std::holds_alternative<model::Teardown>(call->call);
    {
      MutexLock lock(&fake->mutex_);
      fake->calls_.push_back({number, *std::move(call)});
      fake->stream_->Taken(message.ByteSizeLong());
      fake->changed_.SignalAll();
    }
    if (!teardown) return;
    // At once, because frameworks wait for it at their end, when no test looks at calls any more.
    fake->Tell(model::StreamError{model::Refusal::kFrameworkRemoved, "torn down by its scheduler"});
    fake->Break(grpc::Status::OK);
  };
  fake->stream_ = Stream::Make(context, std::move(heard), [] {});
  fake->stream_->Begin();
  return fake->stream_.get();
}

grpc::Status FakeMaster::Operating::ReadLogs(grpc::ServerContext* context,
                                             const v1::ReadLogsRequest* request,
                                             grpc::ServerWriter<v1::LogChunk>* writer) {
  MutexLock lock(&master->mutex_);
  auto output = master->outputs_.find(request->task_id());
  if (output == master->outputs_.end()) {
    return grpc::Status(grpc::StatusCode::NOT_FOUND, "no such task");
  }
  const int64_t size = output->second.size();
  v1::LogChunk chunk;
  chunk.set_offset(request->offset() < 0 ? std::max<int64_t>(size + request->offset(), 0)
                                         : std::min(request->offset(), size));
  chunk.set_data(output->second.substr(chunk.offset()));
  writer->Write(chunk);
  return grpc::Status::OK;
}

std::optional<model::SchedulerCall> FakeMaster::Next() {
  MutexLock lock(&mutex_);
  while (true) {
    // What was said on an older stream is of no interest any more.
    while (!calls_.empty() && calls_.front().first != streams_) calls_.pop_front();
    if (!calls_.empty()) break;
    if (!changed_.WaitFor(&mutex_, 30'000)) {
      ADD_FAILURE() << "the scheduler said nothing for 30 s";
      return std::nullopt;
    }
  }
  model::SchedulerCall call = std::move(calls_.front().second);
  calls_.pop_front();
  return call;
}

void FakeMaster::Answer(const model::SchedulerCall& call) {
  if (const auto* subscribe = std::get_if<model::Subscribe>(&call.call)) {
    std::optional<model::StreamError> refusal;
    {
      MutexLock lock(&mutex_);
      refusal = refusal_;
    }
    if (refusal) {
      Tell(*refusal);
      return Break(grpc::Status::OK);
    }
    const model::FrameworkId given = subscribe->framework.id;
    Tell(model::Subscribed{model::ThisVersion(),
                           given.empty() ? model::FrameworkId("F-fake") : given, "fake", 1, 5000});
  }
  if (std::holds_alternative<model::Teardown>(call.call)) return;  // As it came.
  if (call.call_id == 0) return;
  model::CallResult result{call.call_id, {}};
  if (const auto* accept = std::get_if<model::Accept>(&call.call)) {
    for (const model::TaskSpec& spec : accept->tasks) result.items.push_back({spec.id.value()});
  }
  if (result.items.empty()) result.items.push_back({});
  Tell(std::move(result));
}

void FakeMaster::Tell(const model::SchedulerEvent& event) {
  v1::SchedulerEvent message;
  convert::ToProto(event, &message);
  MutexLock lock(&mutex_);
  if (stream_ != nullptr) stream_->Send(std::move(message));
}

void FakeMaster::Break(const grpc::Status& status) {
  MutexLock lock(&mutex_);
  if (stream_ != nullptr) stream_->Close(status);
  stream_.reset();
}

void FakeMaster::RefuseSubscriptions(model::Refusal refusal, const std::string& message) {
  MutexLock lock(&mutex_);
  refusal_ = model::StreamError{refusal, message};
}

void FakeMaster::SetOutput(const std::string& task_id, const std::string& text) {
  MutexLock lock(&mutex_);
  outputs_[task_id] = text;
}

}  // namespace proffer::testing
