// Where the leading master is to be found. A list of masters is gone round until one answers;
// ZooKeeper says by itself who leads. In either case one that does not lead but names who does is
// believed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/mutex.h"
#include "common/rpc/address.h"
#include "common/zookeeper/leader_watch.h"

namespace proffer {

// THREAD: any.
class LeaderFinder {
 public:
  // Called with the addresses of a leader that ZooKeeper has just named.
  using Found = std::function<void(const std::vector<rpc::Address>& leader)>;

  // `masters` as users name them: "unix:/path" or "host:port", several by commas, or
  // "zk://host:port[,host:port...]/chroot". INVALID_ARGUMENT with the form expected.
  static absl::StatusOr<std::unique_ptr<LeaderFinder>> Make(absl::string_view masters);
  // REQUIRES: at least one address.
  explicit LeaderFinder(std::vector<rpc::Address> masters);
  // Follows the election there.
  explicit LeaderFinder(const zk::Address& ensemble);

  // From now on, on a thread of the finder's own, and at once if one was named already. Null: no
  // more; once this has returned, no call is under way. Must not be called by `found`.
  void OnFound(Found found);

  // The master to try now; the same one until it is said to have failed. Nothing while none is
  // known.
  std::optional<rpc::Address> Current() const;
  // Waits until one is known, at most so long.
  std::optional<rpc::Address> Await(int64_t timeout_ms) const;

  // `tried` does not answer, or does not lead: another one is tried next. Without effect if it is
  // not the current one any more.
  void Failed(const rpc::Address& tried);
  // `tried` does not lead and says who does: these are tried next, then the others again. If it
  // names nobody, it has failed.
  void Redirected(const rpc::Address& tried, std::vector<rpc::Address> leader);

 private:
  void Named(const std::optional<zk::LeaderInfo>& leader);
  std::optional<rpc::Address> CurrentLocked() const REQUIRES_MUTEX(mutex_);
  void FailedLocked(const rpc::Address& tried) REQUIRES_MUTEX(mutex_);

  mutable Mutex mutex_;
  mutable CondVar known_;
  std::vector<rpc::Address> masters_ GUARDED_BY_MUTEX(mutex_);
  size_t next_ GUARDED_BY_MUTEX(mutex_) = 0;  // Of `masters_`.
  // Addresses of one master that is said to lead, the next one to try at the end.
  std::vector<rpc::Address> said_to_lead_ GUARDED_BY_MUTEX(mutex_);

  Mutex telling_;  // Held during a call of `found_`; never with `mutex_`.
  Found found_ GUARDED_BY_MUTEX(telling_);
  std::unique_ptr<zk::LeaderWatch> watch_;  // Null for a list. The last, because it calls us.
};

}  // namespace proffer
