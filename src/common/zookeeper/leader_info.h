// What a contender for the lead tells about itself: the data of its node under <chroot>/election.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace proffer::zk {

struct LeaderInfo {
  // Random, of one life of one process. By it a contender knows its own node again when the answer
  // to its creation was lost.
  std::string instance;
  // Where it serves: "unix:/path" or "host:port", the best first.
  std::vector<std::string> addresses;
  // The machine, its boot and its network: two addresses that are written the same are the same
  // only there. Empty: not known.
  std::string machine;
  std::string version;     // Of the master's build.
  std::string cluster_id;  // Empty: the master was not told which one.

  friend bool operator==(const LeaderInfo&, const LeaderInfo&) = default;
};

// Lines of "name value", readable in any ZooKeeper client:
//   proffer-contender 1
//   instance 3f0c…
//   address 127.0.0.1:5050
std::string Serialize(const LeaderInfo& info);

// DATA_LOSS when it is not of this form, or has no instance or no address. Names of lines that a
// newer version may have added are passed over.
absl::StatusOr<LeaderInfo> ParseLeaderInfo(absl::string_view text);

}  // namespace proffer::zk
