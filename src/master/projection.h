// The picture of the cluster that readers see: what the core's deltas amount to, as new as what is
// durable. Readers never touch the core; ten thousand of them do not delay one offer: those who
// watch are woken on a thread of the projection's own.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/mutex.h"
#include "master/core/effects.h"
#include "proffer/v1/operator.pb.h"

namespace proffer::master {

using ObjectPointer = std::shared_ptr<const v1::Object>;
using ChangePointer = std::shared_ptr<const v1::Change>;

// THREAD: any.
class Projection {
 public:
  Projection(std::string cluster_id, uint64_t epoch, int64_t started_unix_ms);
  ~Projection();

  // Takes durable deltas in, in order.
  void Apply(const std::vector<Delta>& deltas, int64_t unix_ms);
  void SetLongestTurn(int64_t ms);

  v1::Cluster GetCluster() const;
  // INVALID_ARGUMENT for an unknown kind or a page token not of our making.
  absl::StatusOr<v1::ListResponse> List(const v1::ListRequest& request) const;

  // One object, live or (tasks) lately ended. Null: none.
  ObjectPointer Find(v1::Kind kind, const std::string& id) const;
  // Tasks of that framework and id, the newest attempt; ended ones too.
  ObjectPointer FindTask(const std::string& framework_id, const std::string& task_id) const;
  // All frameworks or tasks whose id or name equals `subject`, else begins with it.
  std::vector<ObjectPointer> Match(v1::Kind kind, const std::string& subject) const;

  // Everything of these kinds (all, if none), and the revision it shows.
  std::vector<ObjectPointer> Snapshot(const std::set<int>& kinds, uint64_t* sequence) const;
  // Changes after `sequence`, at most `limit`. OUT_OF_RANGE: they have left the ring.
  absl::StatusOr<std::vector<ChangePointer>> ChangesAfter(uint64_t sequence, size_t limit) const;
  uint64_t epoch() const { return epoch_; }
  uint64_t sequence() const;

  // `wake` is called after changes, on the projection's thread; it must be quick. Returns 0 when
  // there are too many already.
  uint64_t AddWatcher(std::function<void()> wake);
  // `observe` is called with every change, in order: the object as it was (null: it was not there)
  // and as it is. Once, before the first Apply; it must not call the projection.
  using Observer =
      std::function<void(const v1::Object* before, const v1::Object& after, bool removed)>;
  void SetObserver(Observer observe);
  void RemoveWatcher(uint64_t id);

 private:
  using Table = std::map<std::string, ObjectPointer>;

  void WakeWatchers();
  void Put(ObjectPointer object, bool removed, int64_t unix_ms) REQUIRES_MUTEX(mutex_);
  void Count(const v1::Object& object, int sign) REQUIRES_MUTEX(mutex_);
  void KeepEnded(const ObjectPointer& object) REQUIRES_MUTEX(mutex_);
  void ForgetEnded(const std::string& framework_id) REQUIRES_MUTEX(mutex_);
  // At most so many, in the order of their ids, behind the one with the id `after`.
  std::vector<ObjectPointer> Select(const v1::ListRequest& request, const std::string& after,
                                    size_t most) const REQUIRES_MUTEX(mutex_);

  const std::string cluster_id_;
  const uint64_t epoch_;
  const int64_t started_unix_ms_;

  mutable Mutex mutex_;
  std::map<int, Table> tables_ GUARDED_BY_MUTEX(mutex_);  // By kind.
  // Ended tasks by framework, oldest first; and the frameworks in the order of their last end.
  std::map<std::string, std::deque<ObjectPointer>> ended_ GUARDED_BY_MUTEX(mutex_);
  Table ended_by_id_ GUARDED_BY_MUTEX(mutex_);  // The same tasks.
  std::deque<std::string> removed_frameworks_ GUARDED_BY_MUTEX(mutex_);
  v1::Cluster counts_ GUARDED_BY_MUTEX(mutex_);
  std::deque<ChangePointer> ring_ GUARDED_BY_MUTEX(mutex_);
  size_t ring_bytes_ GUARDED_BY_MUTEX(mutex_) = 0;
  uint64_t sequence_ GUARDED_BY_MUTEX(mutex_) = 0;
  std::map<uint64_t, std::function<void()>> watchers_ GUARDED_BY_MUTEX(mutex_);
  uint64_t last_watcher_ GUARDED_BY_MUTEX(mutex_) = 0;
  Observer observe_ GUARDED_BY_MUTEX(mutex_);
  bool ending_ GUARDED_BY_MUTEX(mutex_) = false;
  CondVar changed_;
  std::thread waker_;
};

}  // namespace proffer::master
