// Where a ZooKeeper ensemble is, and which of its subtrees is ours:
// "zk://host:port[,host:port...]/chroot".
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace proffer::zk {

struct Address {
  std::vector<std::string> servers;  // Each "host:port"; at least one.
  std::string chroot;                // "/proffer" or deeper, without a slash at the end.

  std::string ToString() const;
  friend bool operator==(const Address&, const Address&) = default;
};

// Whether `text` is meant as such an address: it starts with "zk://".
bool IsAddress(absl::string_view text);

// INVALID_ARGUMENT says what was found, what was expected, and what to write instead. There is no
// default port, no default chroot and no "user:password@": one chroot is one cluster, and the
// ensemble is spoken to in plain text.
absl::StatusOr<Address> ParseAddress(absl::string_view text);

}  // namespace proffer::zk
