// One reader of `Watch`: a snapshot, then every change, pulled from the projection as fast as the
// reader takes them. It holds a position, never a queue.
#pragma once

#include <memory>
#include <set>
#include <vector>

#include "common/base/mutex.h"
#include "grpcpp/support/server_callback.h"
#include "master/projection.h"

namespace proffer::master {

class Watcher final : public grpc::ServerWriteReactor<v1::WatchEvent> {
 public:
  // Lives until gRPC is done with it and nobody is about to wake it. REQUIRES: `projection`
  // outlives the server.
  static Watcher* Begin(Projection* projection, const v1::WatchRequest& request);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  Watcher(Projection* projection, const v1::WatchRequest& request);
  void Wake();
  void WriteNext() REQUIRES_MUTEX(mutex_);
  bool Wanted(const v1::Object& object) const;
  void FillSnapshot() REQUIRES_MUTEX(mutex_);
  bool FillChange() REQUIRES_MUTEX(mutex_);
  void End(const grpc::Status& status) REQUIRES_MUTEX(mutex_);

  Projection* const projection_;
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
  v1::WatchEvent out_;
};

}  // namespace proffer::master
