// One who stands for election: an ephemeral, numbered node under <chroot>/election. The lowest
// number leads; everybody else waits for the one before to go, in the order of arrival.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/zookeeper/leader_info.h"
#include "common/zookeeper/session.h"

namespace proffer::zk {

// Below the chroot.
inline constexpr char kElectionPath[] = "/election";
inline constexpr char kContenderPrefix[] = "contender-";

// The contenders among the children of kElectionPath, the leader first.
std::vector<std::string> InOrder(const std::vector<std::string>& children);

// THREAD: any.
class Contender {
 public:
  // Somebody who stands before us.
  struct Rival {
    std::string node;          // The name of its node.
    int64_t created_zxid = 0;  // Of this node and no other, ever.
    LeaderInfo info;
  };

  // Makes our node, exactly one also when the answer to its creation is lost. `session` outlives
  // the contender and is its life: when it ends, so does the node.
  static absl::StatusOr<std::unique_ptr<Contender>> Stand(Session* session, const LeaderInfo& info);

  const std::string& node() const { return node_; }
  // Those who stood before us when we came, the leader first. More cannot come, and one that cannot
  // be understood is left out.
  const std::vector<Rival>& before() const { return before_; }

  // Waits until we lead. UNAVAILABLE: the session is lost. ABORTED: somebody removed our node.
  absl::Status AwaitLead() const;
  // REQUIRES: AwaitLead was OK. Waits until we no longer lead, and says why, never OK.
  absl::Status AwaitLoss() const;

  // The calls above end with CANCELLED.
  void Withdraw();

  // Early takeover: removes the node of a rival whose process is known to be dead, if it is still
  // exactly that node; OK also when it is gone. FAILED_PRECONDITION: it is another one.
  absl::Status Remove(const Rival& rival) const;

 private:
  Contender(Session* session, std::string node) : session_(session), node_(std::move(node)) {}

  // OK while there is something to wait for.
  absl::Status Wanted() const;
  absl::Status Gone() const;

  Session* const session_;
  const std::string node_;
  std::vector<Rival> before_;
  std::atomic<bool> withdrawn_ = false;
};

}  // namespace proffer::zk
