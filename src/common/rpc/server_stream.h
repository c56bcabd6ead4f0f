// One bidirectional stream on the server's side: reads only as fast as the core takes events in,
// writes from a bounded queue, and cuts off a peer that does not take its messages.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include "common/base/limits.h"
#include "common/base/mutex.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"

namespace proffer::rpc {

// THREAD: any. `on_message` and `on_closed` are called on gRPC's threads, one at a time, and
// `on_closed` last.
template <typename In, typename Out>
class ServerStream : public grpc::ServerBidiReactor<In, Out> {
 public:
  using Pointer = std::shared_ptr<ServerStream>;

  // The reactor keeps itself alive until gRPC is done with it. Return `get()` to gRPC.
  static Pointer Make(grpc::CallbackServerContext* context,
                      std::function<void(const In&)> on_message, std::function<void()> on_closed) {
    Pointer stream(new ServerStream(context, std::move(on_message), std::move(on_closed)));
    stream->self_ = stream;
    return stream;
  }
  // Begins to read; after this `on_message` may be called.
  void Begin() { Read(); }

  // Queues a message. A peer whose queue is full is cut off.
  void Send(Out message, bool last = false) {
    MutexLock lock(&mutex_);
    if (closing_ || finished_) return;
    bytes_ += message.ByteSizeLong();
    queue_.push_back(std::move(message));
    if (last) closing_ = true;
    if (queue_.size() > limits::kStreamWriterMessages || bytes_ > limits::kStreamWriterBytes) {
      CutOff();
      return;
    }
    WriteNext();
  }

  // Ends the stream once everything queued was written.
  void Close(const grpc::Status& status) {
    MutexLock lock(&mutex_);
    if (closing_ || finished_) return;
    closing_ = true;
    status_ = status;
    WriteNext();
  }

  // The core took one message in; another may be read.
  void Taken() {
    MutexLock lock(&mutex_);
    --untaken_;
    // After Finish, gRPC's side of the stream may be gone already.
    if (!paused_ || finished_ || untaken_ >= limits::kUnreadEventsPerStream / 2) return;
    paused_ = false;
    Read();
  }

  // --- gRPC's callbacks ---
  void OnReadDone(bool ok) override {
    if (!ok) {
      Close(IsMarked() ? grpc::Status::OK : NotAMessage());
      return;
    }
    {
      MutexLock lock(&mutex_);
      ++untaken_;
    }
    on_message_(in_);
    {
      MutexLock lock(&mutex_);
      if (untaken_ >= limits::kUnreadEventsPerStream) {
        paused_ = true;
        return;
      }
    }
    Read();
  }

  void OnWriteDone(bool ok) override {
    MutexLock lock(&mutex_);
    writing_ = false;
    bytes_ -= queue_.front().ByteSizeLong();
    queue_.pop_front();
    if (!ok) {
      queue_.clear();
      closing_ = true;
    }
    WriteNext();
  }

  void OnCancel() override {
    MutexLock lock(&mutex_);
    closing_ = true;
    if (!writing_) {
      queue_.clear();
      WriteNext();
    }
  }

  void OnDone() override {
    on_closed_();
    self_.reset();
  }

 private:
  ServerStream(grpc::CallbackServerContext* context, std::function<void(const In&)> on_message,
               std::function<void()> on_closed)
      : context_(context), on_message_(std::move(on_message)), on_closed_(std::move(on_closed)) {}

  // gRPC says in the same way that the peer is done and that its bytes could not be parsed. Parsing
  // clears what was there before, so a mark tells which it was: a field of number 0, which no bytes
  // can carry.
  void Read() {
    in_.GetReflection()->MutableUnknownFields(&in_)->AddVarint(kMark, 1);
    this->StartRead(&in_);
  }
  bool IsMarked() const {
    const auto& unknown = in_.GetReflection()->GetUnknownFields(in_);
    return unknown.field_count() == 1 && unknown.field(0).number() == kMark;
  }
  grpc::Status NotAMessage() const {
    return grpc::Status(
        grpc::StatusCode::INVALID_ARGUMENT,
        "expected a " + in_.GetTypeName() +
            ", found bytes that are none, or a text that is not UTF-8; see the .proto files");
  }

  void WriteNext() REQUIRES_MUTEX(mutex_) {
    if (writing_ || finished_) return;
    if (!queue_.empty()) {
      writing_ = true;
      this->StartWrite(&queue_.front());
      return;
    }
    if (closing_) {
      finished_ = true;
      this->Finish(status_);
    }
  }

  void CutOff() REQUIRES_MUTEX(mutex_) {
    closing_ = true;
    status_ = grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                           "the peer did not take its messages; reconnect and reconcile");
    // The message being written may never be taken; cancelling ends it.
    if (writing_) {
      queue_.resize(1);
      context_->TryCancel();
    } else {
      queue_.clear();
      WriteNext();
    }
  }

  static constexpr int kMark = 0;

  grpc::CallbackServerContext* const context_;
  const std::function<void(const In&)> on_message_;
  const std::function<void()> on_closed_;
  Pointer self_;
  In in_;
  Mutex mutex_;
  std::deque<Out> queue_ GUARDED_BY_MUTEX(mutex_);
  size_t bytes_ GUARDED_BY_MUTEX(mutex_) = 0;
  bool writing_ GUARDED_BY_MUTEX(mutex_) = false;
  bool closing_ GUARDED_BY_MUTEX(mutex_) = false;
  bool finished_ GUARDED_BY_MUTEX(mutex_) = false;
  int untaken_ GUARDED_BY_MUTEX(mutex_) = 0;
  bool paused_ GUARDED_BY_MUTEX(mutex_) = false;
  grpc::Status status_ GUARDED_BY_MUTEX(mutex_);
};

}  // namespace proffer::rpc
