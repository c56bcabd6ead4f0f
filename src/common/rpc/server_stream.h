// One bidirectional stream on the server's side: reads only as fast as the core takes events in,
// writes from a bounded queue, and cuts off a peer that does not take its messages, or does not
// begin to speak.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include "common/base/limits.h"
#include "common/base/mutex.h"
#include "common/rpc/live_streams.h"
#include "common/rpc/ticker.h"
#include "common/rpc/write_progress.h"
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
  // Of a peer that is silent from the beginning, or does not take a message, it bears
  // `patience_ms`, and at most twice that.
  static Pointer Make(grpc::CallbackServerContext* context,
                      std::function<void(const In&)> on_message, std::function<void()> on_closed,
                      int64_t patience_ms = limits::kPatienceMs) {
    Pointer stream(new ServerStream(context, std::move(on_message), std::move(on_closed)));
    stream->self_ = stream;
    stream->ticker_.Start(patience_ms, [weak = std::weak_ptr<ServerStream>(stream)] {
      const Pointer alive = weak.lock();
      return alive != nullptr && alive->Look();
    });
    return stream;
  }
  ~ServerStream() { all_queued_bytes_ -= static_cast<int64_t>(bytes_); }

  // Begins to read; after this `on_message` may be called.
  void Begin() { Read(); }

  // Queues a message. A peer whose queue is full is cut off.
  void Send(Out message, bool last = false) {
    MutexLock lock(&mutex_);
    if (closing_ || finished_) return;
    Count(static_cast<int64_t>(message.ByteSizeLong()));
    queue_.push_back(std::move(message));
    if (last) closing_ = true;
    if (queue_.size() > limits::kStreamWriterMessages || bytes_ > MostBytes()) {
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

  // The core took one message of that size in; another may be read.
  void Taken(size_t bytes) {
    MutexLock lock(&mutex_);
    --untaken_;
    untaken_bytes_ -= bytes;
    // After Finish, gRPC's side of the stream may be gone already.
    if (!paused_ || finished_ || untaken_ >= limits::kUnreadEventsPerStream / 2 ||
        untaken_bytes_ >= limits::kUnreadBytesPerStream) {
      return;
    }
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
      heard_ = true;
      ++untaken_;
      untaken_bytes_ += in_.ByteSizeLong();
    }
    on_message_(in_);
    {
      MutexLock lock(&mutex_);
      if (untaken_ >= limits::kUnreadEventsPerStream ||
          untaken_bytes_ >= limits::kUnreadBytesPerStream) {
        paused_ = true;
        return;
      }
    }
    Read();
  }

  void OnWriteDone(bool ok) override {
    MutexLock lock(&mutex_);
    writing_ = false;
    progress_.Wrote();
    Count(-static_cast<int64_t>(queue_.front().ByteSizeLong()));
    queue_.pop_front();
    if (!ok) {
      while (!queue_.empty()) Drop();
      closing_ = true;
    }
    WriteNext();
  }

  void OnCancel() override {
    MutexLock lock(&mutex_);
    closing_ = true;
    if (!writing_) {
      while (!queue_.empty()) Drop();
      WriteNext();
    }
  }

  void OnDone() override {
    on_closed_();
    {
      MutexLock lock(&mutex_);
      done_ = true;  // And gRPC's side of it gone.
    }
    self_.reset();
  }

 private:
  ServerStream(grpc::CallbackServerContext* context, std::function<void(const In&)> on_message,
               std::function<void()> on_closed)
      : live_(context->peer()),
        context_(context),
        on_message_(std::move(on_message)),
        on_closed_(std::move(on_closed)) {}

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

  void Count(int64_t bytes) REQUIRES_MUTEX(mutex_) {
    bytes_ += static_cast<size_t>(bytes);
    all_queued_bytes_ += bytes;
  }
  // When all streams together hold too much, those with the longest queues go first.
  static size_t MostBytes() {
    return all_queued_bytes_ > limits::kAllWritersBytes ? limits::kShortQueueBytes
                                                        : limits::kStreamWriterBytes;
  }

  // Every `patience_ms`. False: there is nothing to look after any more.
  bool Look() {
    MutexLock lock(&mutex_);
    if (done_) return false;
    if (!heard_ && !closing_) {
      closing_ = true;
      status_ = grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED,
                             "expected a first message on this stream and found none for too "
                             "long; open a stream when there is something to say");
      WriteNext();
      return true;
    }
    // Also the last word of a stream may be one that is never taken.
    if (progress_.IsStuck(writing_ || finished_)) CutOff();
    return true;
  }

  void CutOff() REQUIRES_MUTEX(mutex_) {
    closing_ = true;
    if (finished_) {
      context_->TryCancel();
      return;
    }
    status_ = grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                           "the peer did not take its messages; reconnect and reconcile");
    // The message being written may never be taken; cancelling ends it.
    if (writing_) {
      while (queue_.size() > 1) Drop();
      context_->TryCancel();
    } else {
      while (!queue_.empty()) Drop();
      WriteNext();
    }
  }
  void Drop() REQUIRES_MUTEX(mutex_) {
    Count(-static_cast<int64_t>(queue_.back().ByteSizeLong()));
    queue_.pop_back();
  }

  static constexpr int kMark = 0;

  const LiveStream live_;
  grpc::CallbackServerContext* const context_;
  const std::function<void(const In&)> on_message_;
  const std::function<void()> on_closed_;
  Pointer self_;
  In in_;
  Mutex mutex_;
  std::deque<Out> queue_ GUARDED_BY_MUTEX(mutex_);
  size_t bytes_ GUARDED_BY_MUTEX(mutex_) = 0;
  static inline std::atomic<int64_t> all_queued_bytes_ = 0;
  bool writing_ GUARDED_BY_MUTEX(mutex_) = false;
  bool closing_ GUARDED_BY_MUTEX(mutex_) = false;
  bool finished_ GUARDED_BY_MUTEX(mutex_) = false;
  bool done_ GUARDED_BY_MUTEX(mutex_) = false;
  bool heard_ GUARDED_BY_MUTEX(mutex_) = false;  // Anything at all.
  WriteProgress progress_ GUARDED_BY_MUTEX(mutex_);
  int untaken_ GUARDED_BY_MUTEX(mutex_) = 0;
  size_t untaken_bytes_ GUARDED_BY_MUTEX(mutex_) = 0;
  bool paused_ GUARDED_BY_MUTEX(mutex_) = false;
  grpc::Status status_ GUARDED_BY_MUTEX(mutex_);
  Ticker ticker_;
};

}  // namespace proffer::rpc
