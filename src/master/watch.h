// One reader of `Watch`: a snapshot, then every change, pulled from the projection as fast as the
// reader takes them. It holds a position, never a queue.
#pragma once

#include <memory>
#include <set>
#include <vector>

#include "common/base/mutex.h"
#include "common/rpc/ticker.h"
#include "common/rpc/write_progress.h"
#include "grpcpp/support/server_callback.h"
#include "master/projection.h"

namespace proffer::master {

class Watcher final : public grpc::ServerWriteReactor<v1::WatchEvent> {
 public:
  // Lives until gRPC is done with it and nobody is about to wake it. REQUIRES: `projection`
  // outlives the server.
  // One that takes nothing for `patience_ms` (at most twice that) is cut off.
  static Watcher* Begin(Projection* projection, grpc::CallbackServerContext* context,
                        const v1::WatchRequest& request, int64_t patience_ms);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  Watcher(Projection* projection, grpc::CallbackServerContext* context,
          const v1::WatchRequest& request);
  void Wake();
  // False: there is nothing to look after any more.
  bool Look();
  void WriteNext() REQUIRES_MUTEX(mutex_);
  bool Wanted(const v1::Object& object) const;
  void FillSnapshot() REQUIRES_MUTEX(mutex_);
  bool FillChange() REQUIRES_MUTEX(mutex_);
  void End(const grpc::Status& status) REQUIRES_MUTEX(mutex_);

  Projection* const projection_;
  grpc::CallbackServerContext* const context_;
  std::shared_ptr<Watcher> self_;  // Until OnDone.
  std::set<int> kinds_;
  uint64_t id_ = 0;
  Mutex mutex_;
  std::vector<ObjectPointer> snapshot_ GUARDED_BY_MUTEX(mutex_);
  size_t next_object_ GUARDED_BY_MUTEX(mutex_) = 0;
  bool in_snapshot_ GUARDED_BY_MUTEX(mutex_) = false;
  uint64_t snapshot_sequence_ GUARDED_BY_MUTEX(mutex_) = 0;
  uint64_t position_ GUARDED_BY_MUTEX(mutex_) = 0;
  int64_t bookmark_due_ms_ GUARDED_BY_MUTEX(mutex_) = 0;
  bool writing_ GUARDED_BY_MUTEX(mutex_) = false;
  bool ended_ GUARDED_BY_MUTEX(mutex_) = false;
  bool done_ GUARDED_BY_MUTEX(mutex_) = false;  // And gRPC's side of it gone.
  rpc::WriteProgress progress_ GUARDED_BY_MUTEX(mutex_);
  v1::WatchEvent out_;
  rpc::Ticker ticker_;
};

}  // namespace proffer::master
