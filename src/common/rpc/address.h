// Where a master listens or is to be found: "unix:/path/to/socket", "host:port", or several of
// them separated by commas.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace proffer::rpc {

struct Address {
  std::string target;  // As gRPC takes it: "unix:/path" or "host:port".
  bool is_unix = false;

  friend bool operator==(const Address&, const Address&) = default;
};

// INVALID_ARGUMENT with the form expected. Relative unix paths are refused.
absl::StatusOr<std::vector<Address>> ParseAddresses(absl::string_view text);
// OK for unix sockets, for loopback, and for anything in a network namespace other than that of
// process 1, as tests make them; PERMISSION_DENIED for anything else, because there are no
// certificates yet.
absl::Status RequireLocal(const Address& address);
// One host:port that RequireLocal lets pass.
absl::StatusOr<Address> ParseLocalPort(absl::string_view text);

}  // namespace proffer::rpc
