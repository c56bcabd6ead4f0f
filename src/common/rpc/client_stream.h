// One bidirectional stream on the client's side: a bounded queue of writes, callbacks for what
// comes, and one callback at the end.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "common/base/limits.h"
#include "common/base/mutex.h"
#include "common/rpc/leader_hint.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/client_callback.h"

namespace proffer::rpc {

// THREAD: any. Callbacks come on gRPC's threads, one at a time, `on_closed` last and exactly once.
template <typename Out, typename In>
class ClientStream : public grpc::ClientBidiReactor<Out, In> {
 public:
  using Pointer = std::shared_ptr<ClientStream>;
  // How it ended, and who was said to lead if it was another than the one that was asked.
  using OnClosed = std::function<void(const grpc::Status&, std::vector<Address> leader)>;

  // `start` binds the stub's method: [&](ctx, reactor) { stub->async()->Connect(ctx, reactor); }.
  template <typename Start>
  static Pointer Open(Start start, std::function<void(const In&)> on_message, OnClosed on_closed) {
    Pointer stream(new ClientStream(std::move(on_message), std::move(on_closed)));
    stream->self_ = stream;
    start(&stream->context_, stream.get());
    stream->AddHold();  // Writes come from outside of callbacks.
    stream->StartRead(&stream->in_);
    stream->StartCall();
    return stream;
  }

  // False when the stream is over or the queue is full; the caller then drops the stream.
  bool Send(Out message) {
    MutexLock lock(&mutex_);
    if (over_ || queue_.size() >= limits::kStreamWriterMessages) return false;
    queue_.push_back(std::move(message));
    if (!writing_) {
      writing_ = true;
      this->StartWrite(&queue_.front());
    }
    return true;
  }

  // Ends the stream; `on_closed` follows.
  void Cancel() { context_.TryCancel(); }

  // --- gRPC's callbacks ---
  void OnReadDone(bool ok) override {
    if (!ok) {
      End();
      return;
    }
    on_message_(in_);
    this->StartRead(&in_);
  }
  void OnWriteDone(bool ok) override {
    MutexLock lock(&mutex_);
    writing_ = false;
    queue_.pop_front();
    if (!ok || over_) return;
    if (!queue_.empty()) {
      writing_ = true;
      this->StartWrite(&queue_.front());
    }
  }
  void OnDone(const grpc::Status& status) override {
    on_closed_(status, LeaderHint(context_));
    self_.reset();
  }

 private:
  ClientStream(std::function<void(const In&)> on_message, OnClosed on_closed)
      : on_message_(std::move(on_message)), on_closed_(std::move(on_closed)) {}

  void End() {
    {
      MutexLock lock(&mutex_);
      if (over_) return;
      over_ = true;
    }
    this->RemoveHold();
  }

  grpc::ClientContext context_;
  const std::function<void(const In&)> on_message_;
  const OnClosed on_closed_;
  Pointer self_;
  In in_;
  Mutex mutex_;
  std::deque<Out> queue_ GUARDED_BY_MUTEX(mutex_);
  bool writing_ GUARDED_BY_MUTEX(mutex_) = false;
  bool over_ GUARDED_BY_MUTEX(mutex_) = false;
};

}  // namespace proffer::rpc
