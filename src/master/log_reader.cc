#include "master/log_reader.h"

#include <utility>

#include "grpcpp/server_context.h"

namespace proffer::master {

LogReader* LogReader::Begin(DataHub* hub, grpc::CallbackServerContext* context,
                            const std::string& agent_id, v1::ReadLog request, int64_t patience_ms) {
  std::shared_ptr<LogReader> reader(new LogReader(hub, context));
  reader->self_ = reader;
  reader->ticker_.Start(patience_ms, [weak = std::weak_ptr<LogReader>(reader)] {
    const std::shared_ptr<LogReader> alive = weak.lock();
    return alive != nullptr && alive->Look();
  });
  v1::DataDown order;
  *order.mutable_read_log() = std::move(request);
  const uint64_t transfer = hub->Read(
      agent_id, std::move(order), [reader](const v1::DataChunk& chunk) { reader->Took(chunk); });
  if (transfer == 0) {
    Fail(reader, grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, kTooManyTransfers));
    return reader.get();
  }
  MutexLock lock(&reader->mutex_);
  reader->transfer_ = transfer;
  return reader.get();
}

LogReader* LogReader::Refuse(const grpc::Status& status) {
  std::shared_ptr<LogReader> reader(new LogReader(nullptr, nullptr));
  reader->self_ = reader;
  MutexLock lock(&reader->mutex_);
  reader->finished_ = true;
  reader->Finish(status);
  return reader.get();
}

void LogReader::Fail(const std::shared_ptr<LogReader>& reader, const grpc::Status& status) {
  MutexLock lock(&reader->mutex_);
  if (reader->ending_) return;
  reader->ending_ = true;
  reader->status_ = status;
  reader->WriteNext();
}

void LogReader::Took(const v1::DataChunk& chunk) {
  MutexLock lock(&mutex_);
  if (ending_) return;
  if (!chunk.data().empty()) {
    v1::LogChunk out;
    out.set_offset(chunk.offset());
    out.set_data(chunk.data());
    queue_.push_back(std::move(out));
  }
  if (chunk.end()) {
    ending_ = true;
    if (!chunk.error().empty()) {
      status_ = grpc::Status(grpc::StatusCode::UNAVAILABLE, chunk.error());
    }
  }
  WriteNext();
}

void LogReader::WriteNext() {
  if (writing_ || finished_) return;
  if (!queue_.empty()) {
    writing_ = true;
    StartWrite(&queue_.front());
    return;
  }
  if (ending_) {
    finished_ = true;
    Finish(status_);
  }
}

void LogReader::OnWriteDone(bool ok) {
  int64_t bytes = 0;
  uint64_t transfer = 0;
  {
    MutexLock lock(&mutex_);
    writing_ = false;
    progress_.Wrote();
    bytes = static_cast<int64_t>(queue_.front().data().size());
    transfer = transfer_;
    queue_.pop_front();
    if (!ok) {
      queue_.clear();
      ending_ = true;
    }
    WriteNext();
  }
  if (ok) hub_->GiveCredit(transfer, bytes);
}

bool LogReader::Look() {
  MutexLock lock(&mutex_);
  if (done_) return false;
  // Ends a write that is not taken.
  if (progress_.IsStuck(writing_ || finished_)) context_->TryCancel();
  return true;
}

void LogReader::OnCancel() {
  MutexLock lock(&mutex_);
  ending_ = true;
  status_ = grpc::Status::CANCELLED;
  if (writing_) return;
  queue_.clear();
  WriteNext();
}

void LogReader::OnDone() {
  uint64_t transfer = 0;
  {
    MutexLock lock(&mutex_);
    done_ = true;
    transfer = transfer_;
  }
  if (hub_ != nullptr) hub_->Cancel(transfer);
  const std::shared_ptr<LogReader> last = std::move(self_);
}

}  // namespace proffer::master
