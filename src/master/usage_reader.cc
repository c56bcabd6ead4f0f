#include "master/usage_reader.h"

#include <utility>

#include "common/base/limits.h"

namespace proffer::master {

UsageReader* UsageReader::Begin(DataHub* hub, const std::string& agent_id,
                                v1::AgentUsage* response) {
  std::shared_ptr<UsageReader> reader(new UsageReader(hub, response));
  reader->self_ = reader;
  v1::DataDown order;
  order.mutable_read_usage();
  const uint64_t transfer = hub->Read(
      agent_id, std::move(order), [reader](const v1::DataChunk& chunk) { reader->Took(chunk); });
  if (transfer == 0) {
    reader->End(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, kTooManyTransfers));
    return reader.get();
  }
  MutexLock lock(&reader->mutex_);
  reader->transfer_ = transfer;
  return reader.get();
}

UsageReader* UsageReader::Refuse(const grpc::Status& status) {
  std::shared_ptr<UsageReader> reader(new UsageReader(nullptr, nullptr));
  reader->self_ = reader;
  reader->End(status);
  return reader.get();
}

void UsageReader::Fail(const std::shared_ptr<UsageReader>& reader, const grpc::Status& status) {
  reader->End(status);
}

void UsageReader::Took(const v1::DataChunk& chunk) {
  grpc::Status status;
  {
    MutexLock lock(&mutex_);
    if (ended_) return;
    report_ += chunk.data();
    const bool too_long = report_.size() > limits::kMessageBytes;
    if (!chunk.end() && !too_long) return;
    if (!chunk.error().empty()) {
      status = grpc::Status(grpc::StatusCode::UNAVAILABLE, chunk.error());
    } else if (too_long || !response_->ParseFromString(report_)) {
      status = grpc::Status(grpc::StatusCode::INTERNAL, "the agent's report cannot be read");
    }
  }
  End(status);
}

void UsageReader::End(const grpc::Status& status) {
  {
    MutexLock lock(&mutex_);
    if (std::exchange(ended_, true)) return;
  }
  Finish(status);
}

void UsageReader::OnCancel() {
  End(grpc::Status(grpc::StatusCode::CANCELLED, "the caller has gone"));
}

void UsageReader::OnDone() {
  uint64_t transfer = 0;
  {
    MutexLock lock(&mutex_);
    transfer = transfer_;
  }
  if (hub_ != nullptr) hub_->Cancel(transfer);
  const std::shared_ptr<UsageReader> last = std::move(self_);
}

}  // namespace proffer::master
