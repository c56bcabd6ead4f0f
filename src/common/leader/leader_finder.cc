#include "common/leader/leader_finder.h"

#include <glog/logging.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_join.h"
#include "common/base/clock.h"
#include "common/base/status.h"

namespace proffer {

absl::StatusOr<std::unique_ptr<LeaderFinder>> LeaderFinder::Make(absl::string_view masters) {
  if (zk::IsAddress(masters)) {
    ASSIGN_OR_RETURN(const zk::Address ensemble, zk::ParseAddress(masters));
    return std::make_unique<LeaderFinder>(ensemble);
  }
  ASSIGN_OR_RETURN(std::vector<rpc::Address> addresses, rpc::ParseAddresses(masters));
  return std::make_unique<LeaderFinder>(std::move(addresses));
}

LeaderFinder::LeaderFinder(std::vector<rpc::Address> masters) : masters_(std::move(masters)) {}

LeaderFinder::LeaderFinder(const zk::Address& ensemble)
    : watch_(std::make_unique<zk::LeaderWatch>(
          ensemble, [this](const std::optional<zk::LeaderInfo>& leader) { Named(leader); })) {}

// Word that nobody leads changes nothing: whoever led last is as good a guess as any.
void LeaderFinder::Named(const std::optional<zk::LeaderInfo>& leader) {
  if (!leader) return;
  absl::StatusOr<std::vector<rpc::Address>> addresses =
      rpc::ParseAddresses(absl::StrJoin(leader->addresses, ","));
  if (!addresses.ok()) {
    LOG(ERROR) << "the leader's addresses in ZooKeeper: " << addresses.status().message();
    return;
  }
  {
    MutexLock lock(&mutex_);
    masters_ = *addresses;
    next_ = 0;
    said_to_lead_.clear();
    known_.SignalAll();
  }
  MutexLock lock(&telling_);
  if (found_) found_(*addresses);
}

void LeaderFinder::OnFound(Found found) {
  std::vector<rpc::Address> known;
  if (watch_ != nullptr) {
    MutexLock lock(&mutex_);
    known = masters_;
  }
  MutexLock lock(&telling_);
  found_ = std::move(found);
  if (found_ && !known.empty()) found_(known);
}

std::optional<rpc::Address> LeaderFinder::Current() const {
  MutexLock lock(&mutex_);
  return CurrentLocked();
}

std::optional<rpc::Address> LeaderFinder::CurrentLocked() const {
  if (!said_to_lead_.empty()) return said_to_lead_.back();
  if (masters_.empty()) return std::nullopt;
  return masters_[next_];
}

std::optional<rpc::Address> LeaderFinder::Await(int64_t timeout_ms) const {
  const Time give_up = BootTimeNow() + timeout_ms;
  MutexLock lock(&mutex_);
  while (true) {
    std::optional<rpc::Address> current = CurrentLocked();
    const int64_t left_ms = give_up - BootTimeNow();
    if (current || left_ms <= 0) return current;
    known_.WaitFor(&mutex_, left_ms);
  }
}

void LeaderFinder::Failed(const rpc::Address& tried) {
  MutexLock lock(&mutex_);
  FailedLocked(tried);
}

void LeaderFinder::FailedLocked(const rpc::Address& tried) {
  if (CurrentLocked() != tried) return;
  if (!said_to_lead_.empty()) {
    said_to_lead_.pop_back();
  } else {
    next_ = (next_ + 1) % masters_.size();
  }
}

void LeaderFinder::Redirected(const rpc::Address& tried, std::vector<rpc::Address> leader) {
  MutexLock lock(&mutex_);
  if (CurrentLocked() != tried) return;
  FailedLocked(tried);
  // One that names itself does not know what it says.
  if (std::find(leader.begin(), leader.end(), tried) != leader.end()) return;
  std::reverse(leader.begin(), leader.end());
  said_to_lead_ = std::move(leader);
}

}  // namespace proffer
