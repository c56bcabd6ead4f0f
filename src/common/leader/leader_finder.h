// Where the leading master is to be found: a list of masters is gone round until one answers, and
// one that does not lead but names who does is believed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/mutex.h"
#include "common/rpc/address.h"

namespace proffer {

// THREAD: any.
class LeaderFinder {
 public:
  // `masters` as users name them: "unix:/path", "host:port", several by commas. INVALID_ARGUMENT
  // with the form expected.
  static absl::StatusOr<std::unique_ptr<LeaderFinder>> Make(absl::string_view masters);
  // REQUIRES: at least one address.
  explicit LeaderFinder(std::vector<rpc::Address> masters);

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
  std::optional<rpc::Address> CurrentLocked() const REQUIRES_MUTEX(mutex_);
  void FailedLocked(const rpc::Address& tried) REQUIRES_MUTEX(mutex_);

  mutable Mutex mutex_;
  mutable CondVar known_;
  std::vector<rpc::Address> masters_ GUARDED_BY_MUTEX(mutex_);
  size_t next_ GUARDED_BY_MUTEX(mutex_) = 0;  // Of `masters_`.
  // Addresses of one master that is said to lead, the next one to try at the end.
  std::vector<rpc::Address> said_to_lead_ GUARDED_BY_MUTEX(mutex_);
};

}  // namespace proffer
